#!/bin/sh
# Runs tests again and again under the race detector beside a busy machine, and shows a
# table at the end:
#
#	scripts/stress.sh     COUNT rounds, 50 unless given
#
# The tests are those below: the ones that once failed now and then, and those of limits,
# time-outs, hand-over and idling. RUN, a regular expression as of go test -run, chooses
# among all tests of these packages instead; PACKAGES names some of the packages. Beside
# the tests runs the load of scripts/load.sh.
#
# Its status is 1 if a test failed. bin/stress keeps what the tests printed.
#
# As root on Linux it runs in a network of its own: see scripts/netns.sh.
set -eu
cd "$(dirname "$0")/.."

# A package; how many rounds are run at once, more than one where a test mostly waits; and
# tests, of which a second part after / chooses among the parts of each.
tests='
epmd 1 TestCountedBeforeClosed|TestGoneBeforeClosed|TestMaxConns|TestMaxUnfinished|TestNeverEvictedOnceRegistered|TestUnfinishedWithinTotal|TestMaxRefused|TestMaxConnsPerPeer|TestAcceptErrors|TestNoFilesLeft|TestPacketTimeoutExactly|TestTimeoutRestarts|TestNoTimeout|TestHooksAndStats|TestOutcomes|TestLatencies|TestRefusedTransport|TestEngineChoice|TestEpollNoGoroutines|TestShutdownReason|TestShutdownLeavesNothing|TestResumeFails|TestRestore|TestHandoffLeavesNothing|TestHandoffOfUnixSocket|TestHandoffOfTransports|TestServeFails|TestFirstServeFails|TestListenerFails|TestEpollListenerFails|TestServeWithoutFiles|TestSharedListenerBlocks|TestAcceptDenied|TestRestoreThenClose|TestRestoreThenFailedServe|TestKeptAfterFailedHandoff|TestResumeInUse|TestLife
epmd 5 TestPacketTimeout|TestDelays|TestLatencyOfPieces|TestHalfTransport|TestDelayedTransports|TestClientTimeouts|TestReregister|TestReregisterIsPatient|TestExitIdle|TestExitIdleNever|TestExitIdleWaits|TestExitIdleUnderWay|TestExitIdleArriving|TestExitIdleRace|TestShutdown|TestShutdownRegistersStill|TestShutdownCutsShort|TestShutdownOfSilence|TestHandoffFails|TestTakenGrace|TestTakenGraceOver|TestTakenGraceInOrder|TestTakenGraceLeft|TestTakenGraceAtShutdown|TestTakenGraceEvicted|TestHandoffOfWaiters|TestStoppedBeforeReply|TestComesBackAfterByte|TestLocalAtTheEnd|TestLocalAtTheLastMoment|TestTurnedAwayIsTold|TestCutListIsReset
epmd 5 TestVectors/./timed
epmd/internal/epoll 1 TestTimeout|TestTimeoutRestarts|TestNoTimeout|TestFreshIsSwept|TestFreshGrowsOld|TestFreshBeforeSleep|TestFreshAndLimits|TestAcceptInTurns|TestNotAccepted|TestAcceptWithoutAny|TestFileFails|TestHandsOverUnwritten|TestTakesOver|TestListenFails|TestClosedListenerHasNobody|TestLoopSleeps|TestEndLeavesTime|TestProbedIfItLasts|TestPending
cmd/epmd 1 TestSignals|TestAlreadyRunning|TestUpgradeThroughLink|TestUpgradeDaemon|TestUpgradeWithPage|TestControlNonsense|TestPredecessorVariable|TestListensWhereTold|TestBlockedLog|TestFewFiles|TestFewThreads|TestLittleAddressSpace|TestProcess1Signals|TestProcess1Reaps|TestReapLeavesOwnChildren
cmd/epmd 5 TestConformance/timed
cmd/epmd 5 TestStateOfTwo|TestStateOfOneThatEnds|TestStateInUpgrade|TestStateBeforePort
doctor 5 TestWhole|TestManySilent|TestWebServer|TestFirewall|TestPortFirewall|TestHandshakeSilent|TestOtherPorts
conformance 1 TestInTime|TestWatchMachine
metrics 1 TestEveryMetricMoves
epmdhttp 1 TestSlowReaderIsCut|TestStream|TestStreamsAreBounded|TestStreamEnds|TestStreamOutlivesTimeouts
internal/testbed 1 TestFreePort|TestFreePortIsFree|TestTaken|TestStartEnds|TestStartGivesUp
internal/upgrade 1 TestUpgradeBySignal
'
packages=${PACKAGES:-$(echo "$tests" | awk 'NF && !seen[$1]++ { print $1 }')}
count=${COUNT:-50}
case $count in
'' | *[!0-9]* | 0) echo "usage: [COUNT=rounds] [RUN=regexp] [PACKAGES='package ...'] scripts/stress.sh" >&2; exit 2 ;;
esac
logs=$PWD/bin/stress
# TestLife, which begins and ends servers at random, plays so many rounds each time.
export GOEPMD_LIFE_ROUNDS=${GOEPMD_LIFE_ROUNDS:-10}

# What is missing is downloaded and built here, while there is a network.
if [ "${STRESS_OWN_NETWORK:-}" = "" ]; then
	rm -rf "$logs"
	mkdir -p "$logs"
	for package in $packages; do
		echo "stress: building the tests of $package"
		go test -race -c -o "$logs/$(echo "$package" | tr / -).test" "./$package"
	done
	STRESS_OWN_NETWORK=1 exec scripts/netns.sh scripts/load.sh "$0" </dev/null
fi

processes=
trap '[ "$processes" = "" ] || kill $processes 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM HUP

began=$(date +%s)
status=0

# any says whether one of some processes is there.
any() {
	for process; do
		kill -0 "$process" 2>/dev/null && return
	done
	return 1
}

# look tells every ten seconds how far the rounds of a package are, until their processes
# have ended. It takes the package and the processes.
look() {
	package=$1
	shift
	seconds=0
	while any "$@"; do
		sleep 1
		seconds=$((seconds + 1))
		[ $((seconds % 10)) != 0 ] || echo "stress: $package, $(cat "$logs/$name".*.log | grep -c '^--- ') tests, $(cat "$logs/$name".*.log | grep -c '^--- FAIL' || true) failed, $(($(date +%s) - began)) s"
	done
}

# rounds runs tests of a package: rounds PACKAGE AT-ONCE PATTERN.
rounds() {
	name=$(echo "$1" | tr / -)
	ran=0
	while [ "$ran" -lt "$count" ]; do
		processes=
		n=0
		while [ "$n" -lt "$2" ] && [ "$ran" -lt "$count" ]; do
			piece=$((count / $2 > 5 ? 5 : (count + $2 - 1) / $2))
			piece=$((count - ran < piece ? count - ran : piece))
			n=$((n + 1))
			ran=$((ran + piece))
			# In the background a shell has programs ignore these, and daemons inherit it.
			(cd "$1" && exec env --default-signal=INT,QUIT "$logs/$name.test" -test.v -test.count "$piece" -test.timeout 20m -test.run "$3") >>"$logs/$name.$n.log" 2>&1 &
			processes="$processes $!"
		done
		look "$1" $processes
		n=0
		for process in $processes; do
			n=$((n + 1))
			code=0
			wait "$process" || code=$?
			echo "stress: status $code" >>"$logs/$name.$n.log"
			[ $code = 0 ] || status=1
		done
	done
}

# Each name of the list must be that of a test: one that was renamed would be passed over.
chosen=$logs/chosen
for package in $packages; do
	name=$(echo "$package" | tr / -)
	(cd "$package" && "$logs/$name.test" -test.list .) >"$logs/$name.names"
	if [ "${RUN:-}" != "" ]; then
		echo "$package 1 $RUN" >>"$chosen"
		continue
	fi
	echo "$tests" | awk -v package="$package" '$1 == package' | while read -r _ at_once list; do
		for test in $(echo "${list%%/*}" | tr '|' ' '); do
			grep -q "^$test\$" "$logs/$name.names" || { echo "stress: $package has no test $test" >&2; exit 1; }
		done
		parts=${list#"${list%%/*}"}
		echo "$package $at_once ^(${list%%/*})\$$parts" >>"$chosen"
	done
done

while read -r package at_once pattern; do
	rounds "$package" "$at_once" "$pattern"
done <"$chosen"

for package in $packages; do
	name=$(echo "$package" | tr / -)
	# The time of a test whose parts run beside it is that of the parts.
	cat "$logs/$name".*.log | awk -v package="$package" '
		function add(  level, most) {
			for (level in took) most = (took[level] > most ? took[level] : most)
			if (test != "") seconds[test] += most
			delete took
		}
		/^--- (PASS|FAIL|SKIP): / {
			add()
			test = $3; rounds[test]++
			took[0] = substr($4, 2) + 0
			if ($2 == "FAIL:") failures[test]++
			if ($2 == "SKIP:") skipped[test]++
		}
		/^ +--- / { took[index($0, "-")] += substr($4, 2) }
		/^--- FAIL: / { told = 1 }
		/^stress: status / { if ($3 != 0 && !told) broken++; told = 0 }
		END {
			add()
			for (test in rounds)
				printf "%-16s %-32s %7d %9d %9.1f%s\n", package, test, rounds[test], failures[test], seconds[test], (skipped[test] ? "  skipped " skipped[test] : "")
			if (broken) printf "%-16s %-32s %7s %9d %9s  ended with no test failing\n", package, "(all)", "", broken, ""
		}' | sort >>"$logs/table"
done

# The output of the first failure of each test.
for package in $packages; do
	for log in "$logs/$(echo "$package" | tr / -)".*.log; do
		for test in $(awk '/^--- FAIL: / && !seen[$3]++ { print $3 }' "$log"); do
			grep -q "^$package $test\$" "$logs/shown" 2>/dev/null && continue
			echo "$package $test" >>"$logs/shown"
			printf '\nstress: the first failure of %s, %s (%s)\n' "$package" "$test" "$log"
			awk -v test="$test" '
				failed && !/^ / { exit }
				$1 == "===" && $2 == "RUN" && $3 == test { n = 0 }
				{ kept[n++] = $0 }
				$0 ~ ("^--- FAIL: " test " ") { failed = 1 }
				END { for (i = (n > 150 ? n - 150 : 0); i < n; i++) print kept[i] }' "$log"
		done
		grep -m 1 -A 60 '^panic: \|^fatal error: \|^WARNING: DATA RACE' "$log" || true
	done
done
printf '\n%-16s %-32s %7s %9s %9s\n' package test rounds failures seconds
cat "$logs/table"
echo "stress: $(($(date +%s) - began)) s beside $(getconf _NPROCESSORS_ONLN) busy loops"
exit $status
