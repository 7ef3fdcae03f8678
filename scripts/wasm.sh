#!/bin/sh
# Builds the WebAssembly module of fuzz/wasm to bin/epmd.wasm, plays the conformance
# suite against it in Node, and tests epmd.mjs.
set -eu
exec </dev/null
cd "$(dirname "$0")/.."

node=$(node -p 'process.versions.node.split(".")[0]' 2>&1) || node=0
if ! [ "$node" -ge 18 ]; then
	echo "wasm: Node 18 or later is missing, so nothing can be checked: see nodejs.org, or apt-get install nodejs" >&2
	exit 1
fi

GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 go build -buildmode=c-shared -trimpath -ldflags='-s -w' -o bin/epmd.wasm ./fuzz/wasm
echo "bin/epmd.wasm: $(wc -c <bin/epmd.wasm) bytes, $(gzip -c bin/epmd.wasm | wc -c) when packed with gzip"
go run ./cmd/epmd-conformance list -json >bin/scenarios.json
node fuzz/wasm/scenarios.mjs bin/epmd.wasm bin/scenarios.json
EPMD_WASM=bin/epmd.wasm node --test --test-reporter=spec fuzz/wasm/epmd.test.mjs
