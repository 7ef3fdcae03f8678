// Package property is what the property tests have in common: a new seed each time, which
// a test that fails tells, and how often a property must hold.
package property

import (
	"math/rand"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leanovate/gopter"
)

// seedEnv fixes the seed of every property, to repeat a run that failed.
const seedEnv = "GOEPMD_SEED"

// Seed is the seed of a test: that of the environment variable GOEPMD_SEED, else a
// new one each time. If the test fails it says which.
func Seed(tb testing.TB) int64 {
	tb.Helper()
	seed := time.Now().UnixNano()
	if text := os.Getenv(seedEnv); text != "" {
		var err error
		if seed, err = strconv.ParseInt(text, 10, 64); err != nil {
			tb.Fatalf("%s: %v", seedEnv, err)
		}
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("to repeat this run: %s=%d", seedEnv, seed)
		}
	})
	return seed
}

// maxShrinks bounds how often a failing input is made simpler: failing has to end,
// too.
const maxShrinks = 50

// Holds checks that a property holds so many times. Size bounds the slices that
// gopter makes, and the commands in a sequence.
func Holds(tb testing.TB, times, size int, p gopter.Prop) {
	tb.Helper()
	params := gopter.DefaultTestParametersWithSeed(Seed(tb))
	params.MinSuccessfulTests, params.MaxSize, params.MaxShrinkCount = times, size, maxShrinks
	result := p.Check(params)
	if !result.Passed() || result.Succeeded < times {
		var report strings.Builder
		const width = 1000
		gopter.NewFormatedReporter(true, width, &report).ReportTestResult(tb.Name(), result)
		tb.Fatal(report.String())
	}
}

// Gen generates what a function makes of random numbers. It does not shrink.
func Gen[T any](from func(r *rand.Rand) T) gopter.Gen {
	return func(p *gopter.GenParameters) *gopter.GenResult {
		return gopter.NewGenResult(from(p.Rng), gopter.NoShrinker)
	}
}
