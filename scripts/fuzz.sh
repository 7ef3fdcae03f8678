#!/bin/sh
# Runs every fuzz target in turn, and shows a table at the end:
#
#	scripts/fuzz.sh [SECONDS]     for each target; 60, or 3 for a short look
#
# Its status is 1 if a target failed. What made it fail is then below
# fuzz/testdata/fuzz, and fails every later `go test ./fuzz` until it is mended.
# FUZZ names some of the targets, as a regular expression.
#
# As root on Linux it runs in a network of its own: see scripts/netns.sh.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
case $seconds in
'' | *[!0-9]* | 0) echo "usage: scripts/fuzz.sh [SECONDS]" >&2; exit 2 ;;
esac

# What is missing is downloaded and built here, while there is a network.
targets=$(go test -list "${FUZZ:-^Fuzz}" ./fuzz | grep '^Fuzz') || { echo "fuzz: there is no such target, or ./fuzz does not build" >&2; exit 1; }

if [ "${FUZZ_OWN_NETWORK:-}" = "" ]; then
	FUZZ_OWN_NETWORK=1 exec scripts/netns.sh "$0" "$seconds" </dev/null
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
# Go's fuzzer takes up to a minute to make each new input smaller, in which nothing
# else happens: -fuzzminimizetime bounds that.
status=0
n=0
all=$(echo "$targets" | wc -l)
for target in $targets; do
	n=$((n + 1))
	echo "fuzz: $target, $n of $all, for $seconds s"
	# A target whose seeds alone take longer gets ten times as long.
	for time in "$seconds" $((seconds * 10)); do
		{
			code=0
			go test ./fuzz -v -run '^$' -fuzz "^$target\$" -fuzztime "${time}s" -fuzzminimizetime 100x </dev/null 2>&1 || code=$?
			echo "fuzz: status $code"
		} | tee "$work/log"
		! grep -q '^fuzz: status 0' "$work/log" || grep -Eq 'SKIPPED:|execs:' "$work/log" || continue
		break
	done
	awk -v target="$target" -v seconds="$time" '
		/^fuzz: elapsed:.*execs:/ {
			execs = $5
			found = $0; sub(/.*new interesting: /, "", found); sub(/ .*/, "", found)
		}
		/SKIPPED:/ { skipped = $0; sub(/.*SKIPPED: */, "skipped: ", skipped) }
		/Failing input written to/ { where = $NF }
		/^fuzz: status/ { code = $3 }
		END {
			result = code ? "FAILED " where : "passed"
			if (!code && skipped) result = skipped
			if (!code && !skipped && execs == "") { result = "FAILED nothing was executed in " seconds " s"; code = 1 }
			printf "%-18s %12s %10.0f %16s  %s\n", target, execs + 0, execs / seconds, found + 0, result
			exit code != 0
		}' "$work/log" >>"$work/table" || status=1
done
printf '\n%-18s %12s %10s %16s  %s\n' target executions per-second new-interesting result
cat "$work/table"
awk '{ if (/FAILED/) failed++; else if (/skipped:/) skipped++; else passed++ }
	END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$work/table"
exit $status
