#!/bin/sh
# Churn, lookups and faults mixed, on our program and on both engines of an embedded
# server at once, and the bill at the end:
#
#	scripts/soak.sh [SECONDS]     600 unless given; SOAK_SEED is 1 unless given
#
# Its status is 1 if a registration was lost, an answer wrong, or memory, a descriptor or
# a goroutine kept. As root, or where user namespaces are allowed, it runs in a
# network of its own.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-600}
case $seconds in
'' | *[!0-9]* | 0) echo "usage: scripts/soak.sh [SECONDS]" >&2; exit 2 ;;
esac
mkdir -p bin
CGO_ENABLED=0 go build -trimpath -o bin/epmd ./cmd/epmd
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
go build -o "$dir/embedded" ./internal/faults/embedded
go build -o "$dir/soak" ./internal/soak/run
"$dir/soak" -for "${seconds}s" -seed "${SOAK_SEED:-1}" epmd="$PWD/bin/epmd" \
	"epoll=+$dir/embedded -engine epoll" "portable=+$dir/embedded -engine portable"
