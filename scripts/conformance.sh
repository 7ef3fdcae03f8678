#!/bin/sh
# The conformance suite, all of it: the images of the real OTP, every scenario to four
# OTPs, our program and our image; real nodes; wrong daemons that it must notice; and
# random conversations with OTP 27 and 29 in lock-step. Reports go to bin/.
#
#	scripts/conformance.sh [STEPS]     random steps with each of the two, 100000 unless given
set -eu
exec </dev/null
cd "$(dirname "$0")/.."
steps=${1:-100000}
begun=$(date +%s)
say() { echo "conformance, $(($(date +%s) - begun)) s: $*"; }
dir=$(mktemp -d)
beside=
trap '[ "$beside" = "" ] || kill "$beside" 2>/dev/null || true; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
mkdir -p bin

say "images"
go run ./docker/otp-images

export GOEPMD_CONFORMANCE=1 GOEPMD_REPORTS="$PWD/bin"
say "every scenario to every target"
go test ./conformance -run EveryTarget -count=1 -timeout 10m -v
# These wait for containers most of the time, so they run beside the rest.
{
	code=0
	go test ./conformance/container ./internal/otpimages ./deploy/systemd -p 1 -count=1 -timeout 10m || code=1
	go test ./docker ./examples -p 1 -run 'Image|Container|Compose' -count=1 -timeout 10m || code=1
	exit "$code"
} >"$dir/beside" 2>&1 &
beside=$!
say "real nodes; and beside all that follows, our image, the compose example, and systemd's units"
go test ./conformance/nodes -count=1 -timeout 12m
say "wrong daemons"
code=0
scripts/netns.sh go test ./conformance -run Wrong -count=1 -timeout 10m -v >"$dir/wrong" 2>&1 || code=$?
grep -v '^=== RUN' "$dir/wrong"
[ "$code" = 0 ] || exit "$code"

CGO_ENABLED=0 go build -o "$dir/epmd" ./cmd/epmd
CGO_ENABLED=0 go build -o "$dir/epmd-conformance" ./cmd/epmd-conformance
for otp in 27 29; do
	say "$steps random steps with OTP $otp"
	theirs=$(go run ./docker/otp-images -extract "$dir/$otp" "$otp")
	scripts/netns.sh "$dir/epmd-conformance" diff -a "$theirs" -b "$dir/epmd" -n "$steps" -seed 1
done
say "waiting for what runs beside"
code=0
wait "$beside" || code=$?
cat "$dir/beside"
[ "$code" = 0 ] || exit "$code"
say "all passed"
