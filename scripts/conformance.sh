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
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
mkdir -p bin

say "images"
go run ./docker/otp-images

export GOEPMD_CONFORMANCE=1 GOEPMD_REPORTS="$PWD/bin"
say "every scenario to every target"
go test ./conformance -run EveryTarget -count=1 -timeout 10m -v
say "real nodes"
go test ./conformance/nodes -count=1 -timeout 12m
say "containers and programs of the images"
go test ./conformance/container ./internal/otpimages -count=1 -timeout 5m
say "systemd's units, under a real systemd"
go test ./deploy/systemd -count=1 -timeout 5m
say "our image, and the compose example"
go test ./docker ./examples -run 'Image|Container|Compose' -count=1 -timeout 10m
say "wrong daemons"
scripts/netns.sh go test ./conformance -run Wrong -count=1 -timeout 10m -v | grep -v '^=== RUN'

CGO_ENABLED=0 go build -o "$dir/epmd" ./cmd/epmd
CGO_ENABLED=0 go build -o "$dir/epmd-conformance" ./cmd/epmd-conformance
for otp in 27 29; do
	say "$steps random steps with OTP $otp"
	theirs=$(go run ./docker/otp-images -extract "$dir/$otp" "$otp")
	scripts/netns.sh "$dir/epmd-conformance" diff -a "$theirs" -b "$dir/epmd" -n "$steps" -seed 1
done
say "all passed"
