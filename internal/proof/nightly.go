package main

import "time"

// nightly is what takes hours: it runs by itself, each stage after the one before.
func nightly() ([]stage, error) {
	return []stage{
		{
			name: "setup", does: "install what is missing",
			command: shell("scripts/setup.sh proof && " + modules),
		},
		{
			name: "cross", does: "builds for every promised platform", after: []string{"setup"},
			command: []string{"scripts/cross.sh", "all"},
		},
		{
			name: "platforms", does: "the whole suite to the daemon on arm64 and riscv64, and on Windows under wine", after: []string{"setup"},
			command: append([]string{"sh", "-c", `go run ./docker/otp-images wine >&2 && exec "$0" "$@"`}, goTestHere("-timeout", "1h", "./internal/platforms", "-run", "TestEmulated|TestWindowsSuite")...),
			env:     []string{"GOEPMD_PROOF=1", "GOEPMD_EVERY=1"}, tests: true, bound: time.Hour,
		},
		{
			name: "386", does: "the WebAssembly module on 386, where it is interpreted, in lock-step with the same code", after: []string{"setup"},
			command: goTest("./fuzz/wasm/host"), env: on386, tests: true,
		},
		{
			name: "race", does: "every test under the race detector", after: []string{"setup"},
			command: goTest("-race", "./..."), tests: true, bound: time.Hour,
		},
		{
			name: "stress", does: "tests of limits, time-outs, hand-over and idling, 500 times beside a full load", after: []string{"setup"},
			command: []string{"scripts/stress.sh"}, env: []string{"COUNT=500"}, bound: 4 * time.Hour,
		},
		{
			name: "loaded", does: "every test ten times beside a full load", after: []string{"setup"},
			command: append([]string{"scripts/load.sh"}, goTest("-count=10", "-timeout", "3h", "./...")...), tests: true, bound: 3 * time.Hour,
		},
		{
			name: "mutate", does: "small wrong changes to wire, registry and session, of which the tests must notice 95 %", after: []string{"setup"},
			command: []string{"go", "run", "./internal/mutate", "-resume", "bin/mutants.jsonl", "./wire", "./registry", "./epmd/session"}, bound: 6 * time.Hour,
		},
		{
			name: "reloads", does: "1,000 reloads of the unit in bursts, under a real systemd", after: []string{"setup"},
			command: append([]string{"sh", "-c", `go run ./docker/otp-images systemd >&2 && exec "$0" "$@"`}, goTestHere("./deploy/systemd", "-run", "TestUnits/reloads")...),
			env:     []string{"GOEPMD_PROOF=1", "GOEPMD_RELOADS=1000"}, tests: true,
		},
		{
			name: "restarts", does: "a real node that stops and starts 8,000 times, three times in each way of serving", after: []string{"setup"},
			command: goTest("-count=3", "./cmd/epmd", "-run", "TestRestarts"), env: []string{"GOEPMD_RESTARTS=8000"}, tests: true,
		},
		{
			name: "fuzz", does: "all fuzz targets for an hour", after: []string{"setup"},
			command: shell(`scripts/fuzz.sh $((3600 / $(go test -list '^Fuzz' ./fuzz | grep -c '^Fuzz')))`), bound: 2 * time.Hour,
		},
		{
			name: "soak", does: "churn, lookups and faults mixed, for an hour", after: []string{"setup"},
			command: []string{"scripts/soak.sh", "3600"}, bound: 2 * time.Hour,
		},
	}, nil
}
