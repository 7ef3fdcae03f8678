#!/bin/sh
# Holds as many registered nodes as fit, on our epmd, on both engines embedded and on OTP's,
# and prints a table:
#
#	scripts/scale.sh [N]     N nodes, 100000 unless given
#
# As root, or where user namespaces are allowed, it runs in a network of its own. More
# nodes than files may be open need Debian's user-mode-linux.
set -eu
cd "$(dirname "$0")/.."
mkdir -p bin
nodes=${1:-100000}
case $nodes in
'' | *[!0-9]* | 0) echo "usage: scripts/scale.sh [N]" >&2; exit 2 ;;
esac
CGO_ENABLED=0 go build -trimpath -o bin/epmd ./cmd/epmd
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
go build -o "$dir/" ./internal/faults/embedded ./internal/faults/scale
set -- -nodes "$nodes" epoll="$PWD/bin/epmd" \
	"epoll, embedded=+$dir/embedded -engine epoll" "portable=+$dir/embedded -engine portable"
if otp=$(scripts/otp-epmd.sh); then
	set -- "$@" "OTP=$otp"
else
	[ "${GOEPMD_REQUIRE_OTP:-}" != 1 ] || exit 1
fi
own= # 200 files are the spareFiles of internal/faults/scale
if ! (ulimit -n "$((nodes + 200))") 2>/dev/null; then
	if command -v linux.uml >/dev/null; then
		echo "scale: a process may not have so many files open here, so all runs in a Linux of its own, slowly" >&2
		own=scripts/kernel.sh
	else
		echo "scale: a process may not have so many files open here; for all: apt-get install user-mode-linux" >&2
	fi
fi
$own "$dir/scale" "$@"
