#!/bin/sh
# Runs tests again and again under the race detector beside a busy machine, and shows a
# table at the end:
#
#	scripts/stress.sh     COUNT rounds, 50 unless given
#
# The tests are those below: the ones that once failed now and then, and those of limits,
# time-outs, hand-over and idling. RUN, a regular expression as of go test -run, chooses
# among all tests of these packages instead; PACKAGES names some of the packages. Beside
# the tests runs a loop for each processor that does nothing but take its time, at the
# same priority.
#
# Its status is 1 if a test failed. bin/stress keeps what the tests printed.
#
# As root on Linux it runs in a network of its own: see scripts/netns.sh.
set -eu
cd "$(dirname "$0")/.."

tests='
epmd TestCountedBeforeClosed|TestGoneBeforeClosed|TestMaxConns|TestMaxUnfinished|TestNeverEvictedOnceRegistered|TestUnfinishedWithinTotal|TestMaxRefused|TestMaxConnsPerPeer|TestAcceptErrors|TestNoFilesLeft
epmd TestPacketTimeout|TestDelays|TestLatencies|TestLatencyOfPieces|TestHalfTransport|TestDelayedTransports|TestRefusedTransport|TestClientTimeouts|TestReregister|TestReregisterIsPatient|TestFresh.*
epmd TestExitIdle|TestExitIdleNever|TestExitIdleWaits|TestExitIdleUnderWay|TestExitIdleArriving|TestExitIdleRace|TestShutdown.*|TestHooksAndStats|TestOutcomes|TestComesBackAtOnce|TestEngineChoice|TestEpollNoGoroutines
epmd TestHandoff.*|TestResumeFails|TestRestore
metrics TestEveryMetricMoves
'
packages=${PACKAGES:-$(echo "$tests" | awk 'NF && !seen[$1]++ { print $1 }')}
count=${COUNT:-50}
case $count in
'' | *[!0-9]* | 0) echo "usage: [COUNT=rounds] [RUN=regexp] [PACKAGES='package ...'] scripts/stress.sh" >&2; exit 2 ;;
esac
logs=$PWD/bin/stress

# What is missing is downloaded and built here, while there is a network.
if [ "${STRESS_OWN_NETWORK:-}" = "" ]; then
	rm -rf "$logs"
	mkdir -p "$logs"
	for package in $packages; do
		echo "stress: building the tests of $package"
		go test -race -c -o "$logs/$(echo "$package" | tr / -).test" "./$package"
	done
	STRESS_OWN_NETWORK=1 exec scripts/netns.sh "$0" </dev/null
fi

# The busy loops look whether this script is still there, so that they end with it however
# it ends.
loops=
trap 'kill $loops 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM HUP
for _ in $(seq "$(getconf _NPROCESSORS_ONLN)"); do
	sh -c 'while kill -0 "$1" 2>/dev/null; do n=0; while [ $n -lt 100000 ]; do n=$((n + 1)); done; done' busy $$ &
	loops="$loops $!"
done

# pattern is what of a package is to run.
pattern() {
	if [ "${RUN:-}" != "" ]; then
		echo "$RUN"
	else
		echo "$tests" | awk -v package="$1" '$1 == package { all = all (all ? "|" : "") $2 } END { print "^(" all ")$" }'
	fi
}

# Each name of the list must be that of a test: one that was renamed would be passed over.
for package in $packages; do
	name=$(echo "$package" | tr / -)
	(cd "$package" && "$logs/$name.test" -test.list "$(pattern "$package")") | grep '^Test' >"$logs/$name.names" || true
	if [ "${RUN:-}" = "" ]; then
		for test in $(echo "$tests" | awk -v package="$package" '$1 == package { gsub(/\|/, " "); sub(/^[^ ]+ /, ""); print }'); do
			grep -q "^$test\$" "$logs/$name.names" || { echo "stress: $package has no test $test" >&2; exit 1; }
		done
	fi
done

began=$(date +%s)
status=0
for package in $packages; do
	name=$(echo "$package" | tr / -)
	[ -s "$logs/$name.names" ] || continue
	log=$logs/$name.log
	round=0
	: >"$log"
	while [ "$round" -lt "$count" ]; do
		piece=$((count - round < 5 ? count - round : 5))
		(cd "$package" && exec "$logs/$name.test" -test.v -test.count "$piece" -test.timeout 20m -test.run "$(pattern "$package")") >>"$log" 2>&1 &
		running=$!
		for seconds in $(seq 1 1200); do
			kill -0 $running 2>/dev/null || break
			sleep 1
			[ $((seconds % 10)) = 0 ] && echo "stress: $package, rounds $((round + 1)) to $((round + piece)) of $count, $(grep -c '^--- FAIL' "$log" || true) failures, $(($(date +%s) - began)) s"
		done
		code=0
		wait $running || code=$?
		echo "stress: status $code" >>"$log"
		[ $code = 0 ] || status=1
		round=$((round + piece))
	done
	echo "stress: $package is done, $(grep -c '^--- FAIL' "$log" || true) failures, $(($(date +%s) - began)) s"
	awk -v package="$package" '
		/^--- (PASS|FAIL|SKIP): / {
			test = $3; rounds[test]++
			seconds[test] += substr($4, 2) + 0
			if ($2 == "FAIL:") failures[test]++
			if ($2 == "SKIP:") skipped[test]++
		}
		/^--- FAIL: / { told = 1 }
		/^stress: status / { if ($3 != 0 && !told) broken++; told = 0 }
		END {
			for (test in rounds)
				printf "%-16s %-34s %7d %9d %9.1f%s\n", package, test, rounds[test], failures[test], seconds[test], (skipped[test] ? "  skipped " skipped[test] : "")
			if (broken) printf "%-16s %-34s %7s %9d %9s  it ended with no test failing\n", package, "(the whole)", "", broken, ""
		}' "$log" | sort >>"$logs/table"
done

# The output of the first failure of each test.
for package in $packages; do
	log=$logs/$(echo "$package" | tr / -).log
	[ -f "$log" ] || continue
	for test in $(awk '/^--- FAIL: / && !seen[$3]++ { print $3 }' "$log"); do
		printf '\nstress: the first failure of %s, %s (%s)\n' "$package" "$test" "$log"
		awk -v test="$test" '
			$1 == "===" && $2 == "RUN" && ($3 == test) { n = 0 }
			!done && n < 400 { kept[n++] = $0 }
			!done && $0 ~ ("^--- FAIL: " test " ") { failed = 1; next }
			failed && !done && !/^ / { done = 1 }
			END { for (i = (n > 120 ? n - 120 : 0); i < n; i++) print kept[i] }' "$log"
	done
	grep -q '^panic: \|^fatal error: \|^WARNING: DATA RACE' "$log" && { echo "stress: $log"; grep -A 60 '^panic: \|^fatal error: \|^WARNING: DATA RACE' "$log" | head -60; }
done
printf '\n%-16s %-34s %7s %9s %9s\n' package test rounds failures seconds
cat "$logs/table"
echo "stress: $(($(date +%s) - began)) s beside $(getconf _NPROCESSORS_ONLN) busy loops"
exit $status
