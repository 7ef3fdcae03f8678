#!/bin/sh
# Go's benchmarks of the packages without sockets, and the load program:
#
#	scripts/bench.sh go      the benchmarks, compared with the baseline if there is one
#	scripts/bench.sh save    the same, kept as the baseline (bin/bench.base)
#	scripts/bench.sh epmd    this tree's program against OTP's, under load
#
# COUNT is how often each benchmark runs, 6 unless given: benchstat needs that many to
# tell a difference from noise. EPMD is another program than the installed OTP's.
# BENCH holds flags of epmd-bench, for instance BENCH='-mode lookup -nodes 10,100'.
set -eu
cd "$(dirname "$0")/.."
mkdir -p bin

benchstat=golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

benchmarks() { # FILE
	# tee would hide a failure.
	if ! go test -run '^$' -bench . -benchmem -count "${COUNT:-6}" ./wire ./registry ./epmd/session >"$1"; then
		cat "$1" >&2
		exit 1
	fi
}

case ${1:-go} in
go)
	benchmarks bin/bench.new
	if [ -f bin/bench.base ]; then
		go run "$benchstat" bin/bench.base bin/bench.new
	else
		go run "$benchstat" bin/bench.new
		echo "bench: there is no baseline to compare with: make bench-save keeps one"
	fi
	;;
save)
	benchmarks bin/bench.base
	go run "$benchstat" bin/bench.base
	;;
epmd)
	otp=${EPMD:-$(scripts/otp-epmd.sh)} || { echo "bench: or name an epmd: EPMD=/path/to/epmd" >&2; exit 1; }
	CGO_ENABLED=0 go build -trimpath -o bin/epmd ./cmd/epmd
	go build -o bin/epmd-bench ./cmd/epmd-bench
	# shellcheck disable=SC2086 # BENCH is several words
	exec bin/epmd-bench -a goepmd=bin/epmd -b "otp=$otp" ${BENCH:-}
	;;
*)
	sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
