#!/bin/sh
# Runs the tests of the packages that need no socket on both of Go's WebAssembly platforms:
# wasip1, by internal/wasirun, and js, in Node.
set -eu
exec </dev/null
cd "$(dirname "$0")/.."
mkdir -p bin
CGO_ENABLED=0 go build -o bin/wasirun ./internal/wasirun
# Node gives a program of Go's little room for the environment, so it gets none.
js="env -i 'PATH=$PATH' '$(go env GOROOT)/lib/wasm/go_js_wasm_exec'"

run() { # GOOS RUNNER
	echo "tests on $1/wasm"
	GOOS=$1 GOARCH=wasm go test -exec "$2" -count=1 -timeout 10m -vet=off ./wire ./registry ./epmd/session
}
# Each uses one processor, so they run side by side.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM
run js "$js" >"$log" 2>&1 &
failed=0
run wasip1 "'$PWD/bin/wasirun'" || failed=1
wait $! || failed=1
cat "$log"
exit "$failed"
