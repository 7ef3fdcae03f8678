#!/bin/sh
# The experiments that stop OTP's epmd, on both and side by side; and as many registered
# nodes as fit:
#
#	scripts/faults.sh            the experiments, and a table: bin/faults.md
#	scripts/faults.sh scale [N]  N nodes, 100000 unless given, and a table
#
# As root, or where user namespaces are allowed, they run in a network of their own. More
# nodes than files may be open need Debian's user-mode-linux.
set -eu
cd "$(dirname "$0")/.."
mkdir -p bin
case ${1:-} in
'')
	GOEPMD_PROOF=1 GOEPMD_REPORTS="$PWD/bin" exec go test ./internal/faults -count=1 -timeout 10m -v
	;;
scale)
	CGO_ENABLED=0 go build -trimpath -o bin/epmd ./cmd/epmd
	dir=$(mktemp -d)
	trap 'rm -rf "$dir"' EXIT
	trap 'exit 130' INT TERM
	go build -o "$dir/" ./internal/faults/embedded ./internal/faults/scale
	nodes=${2:-100000}
	set -- -nodes "$nodes" epoll="$PWD/bin/epmd" \
		"epoll, embedded=+$dir/embedded -engine epoll" "portable=+$dir/embedded -engine portable"
	if command -v erl >/dev/null; then
		root=$(erl -noshell -eval 'io:format("~s", [code:root_dir()]), halt().')
		for otp in "$root"/erts-*/bin/epmd; do set -- "$@" "OTP=$otp"; done
	else
		echo "faults: OTP is missing; to get it: apt-get install erlang-base (or make setup)" >&2
		[ "${GOEPMD_REQUIRE_OTP:-}" != 1 ] || exit 1
	fi
	own= # 200 files are the spareFiles of internal/faults/scale
	if ! (ulimit -n "$((nodes + 200))") 2>/dev/null; then
		if command -v linux.uml >/dev/null; then
			echo "faults: a process may not have so many files open here, so all runs in a Linux of its own, slowly" >&2
			own=scripts/kernel.sh
		else
			echo "faults: a process may not have so many files open here; for all: apt-get install user-mode-linux" >&2
		fi
	fi
	$own "$dir/scale" "$@"
	;;
*)
	sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
