// Package suitetest plays the conformance suite to our own daemons in tests.
package suitetest

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
)

// Play plays every scenario to a target, side by side, in the subtests timed and others;
// deviations is the path of the file that names those on purpose. The scenarios that are
// about time are a subtest of their own, so that they can be repeated alone.
func Play(t *testing.T, target conformance.Target, deviations string) {
	t.Helper()
	text, err := os.ReadFile(deviations)
	require.NoError(t, err)
	timed, err := conformance.Scenarios()
	require.NoError(t, err)
	known, err := conformance.ReadDeviations(text, timed)
	require.NoError(t, err)
	others := slices.Clone(timed)
	isTimed := func(s conformance.Scenario) bool { return s.Area == "timeout" || s.Area == "delay" }
	timed = slices.DeleteFunc(timed, func(s conformance.Scenario) bool { return !isTimed(s) })
	others = slices.DeleteFunc(others, isTimed)
	for name, scenarios := range map[string][]conformance.Scenario{"timed": timed, "others": others} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := conformance.Runner{Parallel: 40, Deviations: known}
			col, err := r.Run(t.Context(), target, 0, scenarios)
			require.NoError(t, err)
			for _, res := range col.Results {
				require.True(t, res.Verdict.Good(), "%s: %s %s", res.Scenario, res.Reason, res.Failure)
			}
			require.Greater(t, col.Count()[conformance.Passed], len(scenarios)*3/4)
		})
	}
}
