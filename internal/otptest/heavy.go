package otptest

import (
	"os"
	"testing"
)

// heavyEnv, set to 1, runs the tests that `make test` leaves to `make proof`.
const heavyEnv = "GOEPMD_PROOF"

// HeavyRun says whether the tests that call [Heavy] are played.
func HeavyRun() bool { return os.Getenv(heavyEnv) == "1" }

// Heavy skips a test that takes minutes, a browser or containers, unless `make proof` runs
// it. The words "part of `make proof`" are what internal/proof looks for.
func Heavy(tb testing.TB) {
	tb.Helper()
	if !HeavyRun() {
		tb.Skipf("SKIPPED: part of `make proof`, which sets %s=1", heavyEnv)
	}
}
