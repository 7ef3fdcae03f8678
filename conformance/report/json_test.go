package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
)

func written(t *testing.T, r conformance.Report) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, JSON(&b, r))
	return b.String()
}

func TestJSONReadsBack(t *testing.T) {
	r := fixture(t)
	text := written(t, r)
	back, err := Read(strings.NewReader(text))
	require.NoError(t, err)
	require.JSONEq(t, text, written(t, back))
	require.Equal(t, r.Columns[2].Results[2].Failure.Got, back.Columns[2].Results[2].Failure.Got)
	require.Equal(t, r.Scenarios[4].Steps[0].String(), back.Scenarios[4].Steps[0].String())

	var top struct {
		Schema int
		Took   time.Duration
	}
	require.NoError(t, json.Unmarshal([]byte(text), &top))
	require.Equal(t, Schema, top.Schema)
	require.Equal(t, r.Took, top.Took)
}

func TestReadRefuses(t *testing.T) {
	good := written(t, fixture(t))
	for name, text := range map[string]string{
		"nothing":             "",
		"no JSON":             "OK",
		"no schema":           "{}",
		"another schema":      strings.Replace(good, `"schema": 1`, `"schema": 2`, 1),
		"two reports":         good + good,
		"cut off":             good[:len(good)/2],
		"no such verdict":     strings.Replace(good, `"verdict": "passed"`, `"verdict": "fine"`, 1),
		"results out of step": strings.Replace(good, `"scenario": "names-empty"`, `"scenario": "names-other"`, 1),
		"a result too few":    `{"schema": 1, "columns": [{"target": "a", "results": [{"scenario": "x"}]}]}`,
		"a name twice":        `{"schema": 1, "scenarios": [{"name": "a"}, {"name": "a"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(text))
			require.ErrorIs(t, err, ErrFormat)
		})
	}
}

// only keeps one target and some scenarios of a report.
func only(r conformance.Report, target int, keep ...string) conformance.Report {
	out := conformance.Report{Began: r.Began, Took: r.Took}
	c := r.Columns[target]
	results := c.Results
	c.Results = nil
	for i, s := range r.Scenarios {
		for _, k := range keep {
			if k == s.Name {
				out.Scenarios = append(out.Scenarios, s)
				c.Results = append(c.Results, results[i])
			}
		}
	}
	out.Columns = append(out.Columns, c)
	return out
}

func TestMerge(t *testing.T) {
	r := fixture(t)
	one := only(r, 0, "names-empty", "alive-again")
	two := only(r, 2, "alive-again", "names-long")
	two.Began = one.Began.Add(-time.Hour)
	m, err := Merge(one, two)
	require.NoError(t, err)
	var names []string
	for _, s := range m.Scenarios {
		names = append(names, s.Name)
	}
	require.Equal(t, []string{"names-empty", "names-long", "alive-again"}, names, "areas stay together")
	require.NoError(t, check(m))
	require.Equal(t, two.Began, m.Began)
	require.Equal(t, 2*r.Took, m.Took)
	verdicts := func(c int) (out []conformance.Verdict) {
		for _, x := range m.Columns[c].Results {
			out = append(out, x.Verdict)
		}
		return out
	}
	require.Equal(t, []conformance.Verdict{conformance.Passed, conformance.Skipped, conformance.Passed}, verdicts(0))
	require.Equal(t, []conformance.Verdict{conformance.Skipped, conformance.Failed, conformance.Failed}, verdicts(1))
	require.Equal(t, conformance.Result{Scenario: "names-long", Area: "names", Verdict: conformance.Skipped, Reason: notPlayed}, m.Columns[0].Results[1])

	again, err := Merge(r)
	require.NoError(t, err)
	require.JSONEq(t, written(t, r), written(t, again))
}

func TestMergeRefuses(t *testing.T) {
	r := fixture(t)
	other := only(r, 1, "names-empty")
	other.Scenarios[0].Rule = "something else"
	odd := only(r, 1, "names-empty")
	odd.Columns[0].Results = nil
	for name, reports := range map[string][]conformance.Report{
		"none":                   {},
		"a target twice":         {r, only(r, 0, "names-empty")},
		"scenarios that changed": {only(r, 0, "names-empty"), other},
		"what is no report":      {odd},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Merge(reports...)
			require.ErrorIs(t, err, ErrMerge)
		})
	}
}
