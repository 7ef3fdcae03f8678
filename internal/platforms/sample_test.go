// Package platforms runs our program, and our tests, as they are built for other processors
// and systems: by qemu, and by wine.
package platforms

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
)

// everyEnv has every n-th scenario of the suite played, in place of every tenth; 1 is all.
const everyEnv = "GOEPMD_EVERY"

// sample is every n-th scenario, in the order of the suite, but for those in which the
// program starts itself anew, as -daemon does. An emulator of a processor cannot do that, and
// wine has the daemon hold the output of its starter open, which no Windows does.
func sample(t *testing.T) []conformance.Scenario {
	t.Helper()
	every := 10
	if text := os.Getenv(everyEnv); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		require.Positive(t, n)
		every = n
	}
	all, err := conformance.Scenarios()
	require.NoError(t, err)
	all = slices.DeleteFunc(all, func(s conformance.Scenario) bool { return slices.ContainsFunc(s.Steps, startsItself) })
	var some []conformance.Scenario
	for i := 0; i < len(all); i += every {
		some = append(some, all[i])
	}
	return some
}

func startsItself(s conformance.Step) bool { return runsDaemon.MatchString(s.String()) }

var runsDaemon = regexp.MustCompile(`^run:.* -daemon(\n|$)`)

// deviations are the scenarios in which our program differs on purpose.
func deviations(t *testing.T) conformance.Deviations {
	t.Helper()
	text, err := os.ReadFile("../../docs/deviations.yaml")
	require.NoError(t, err)
	all, err := conformance.Scenarios()
	require.NoError(t, err)
	known, err := conformance.ReadDeviations(text, all)
	require.NoError(t, err)
	return known
}

// build builds for a platform: words are those of the go command.
func build(t *testing.T, goos, goarch string, words ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", words...)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s/%s: go %q: %s", goos, goarch, words, out)
}

// requireGood fails if a scenario did, and if too few were played; what was skipped is a test
// that is skipped.
func requireGood(t *testing.T, results []conformance.Result) {
	t.Helper()
	counted := conformance.Column{Results: results}.Count()
	t.Logf("%d scenarios: %v", len(results), counted)
	for _, res := range results {
		switch {
		case !res.Verdict.Good():
			t.Errorf("%s: %s %v", res.Scenario, res.Reason, res.Failure)
		case res.Verdict == conformance.Skipped:
			t.Run(res.Scenario, func(t *testing.T) { t.Skip("SKIPPED: " + res.Reason) })
		}
	}
	require.Greater(t, counted[conformance.Passed], len(results)*8/10, "it was asked too little")
}
