package otptest

import (
	"os"
	"testing"
)

// heavyEnv, set to 1, runs the tests that take minutes.
const heavyEnv = "GOEPMD_CONFORMANCE"

// Heavy skips a test that takes minutes, or containers, unless `make conformance` or `make faults` runs it.
func Heavy(tb testing.TB) {
	tb.Helper()
	if os.Getenv(heavyEnv) != "1" {
		tb.Skipf("SKIPPED: it is part of `make conformance` or `make faults`, which set %s=1", heavyEnv)
	}
}
