package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/goepmd/goepmd/conformance"
)

// ErrMerge says that reports cannot stand in one.
var ErrMerge = errors.New("these reports cannot be merged")

// notPlayed is the reason for a result that no report has.
const notPlayed = "not played"

// Merge puts the columns of several reports side by side, in order. Scenarios are
// matched by name; what a target was not asked counts as skipped. The time that it took
// is the sum. Its error is [ErrMerge]: no reports, a target that stands in two of them,
// or a scenario that two versions of the suite tell differently.
func Merge(reports ...conformance.Report) (conformance.Report, error) {
	var out conformance.Report
	if len(reports) == 0 {
		return out, fmt.Errorf("%w: there are none", ErrMerge)
	}
	targets := make(map[string]bool)
	known := make(map[string][]byte)
	for i, r := range reports {
		if err := check(r); err != nil {
			return conformance.Report{}, fmt.Errorf("%w: report %d: %w", ErrMerge, i+1, err)
		}
		if i == 0 || r.Began.Before(out.Began) {
			out.Began = r.Began
		}
		out.Took += r.Took
		if err := addScenarios(&out, known, r.Scenarios); err != nil {
			return conformance.Report{}, err
		}
		for _, c := range r.Columns {
			if targets[c.Target] {
				return conformance.Report{}, fmt.Errorf("%w: two have the target %s", ErrMerge, c.Target)
			}
			targets[c.Target] = true
			out.Columns = append(out.Columns, c)
		}
	}
	areas := out.Areas()
	slices.SortStableFunc(out.Scenarios, func(a, b conformance.Scenario) int {
		return slices.Index(areas, a.Area) - slices.Index(areas, b.Area)
	})
	for i := range out.Columns {
		out.Columns[i].Results = inOrder(out.Columns[i].Results, out.Scenarios)
	}
	return out, nil
}

// addScenarios adds those that are not known yet.
func addScenarios(out *conformance.Report, known map[string][]byte, some []conformance.Scenario) error {
	for _, s := range some {
		text, err := json.Marshal(s)
		if err != nil {
			return err
		}
		before, ok := known[s.Name]
		if ok && !bytes.Equal(before, text) {
			return fmt.Errorf("%w: %s is not the same scenario in all of them; play it again with one version of the suite", ErrMerge, s.Name)
		}
		if !ok {
			known[s.Name] = text
			out.Scenarios = append(out.Scenarios, s)
		}
	}
	return nil
}

// inOrder is a result for each scenario.
func inOrder(results []conformance.Result, scenarios []conformance.Scenario) []conformance.Result {
	byName := make(map[string]conformance.Result, len(results))
	for _, r := range results {
		byName[r.Scenario] = r
	}
	out := make([]conformance.Result, len(scenarios))
	for i, s := range scenarios {
		r, ok := byName[s.Name]
		if !ok {
			r = conformance.Result{Scenario: s.Name, Area: s.Area, Verdict: conformance.Skipped, Reason: notPlayed}
		}
		out[i] = r
	}
	return out
}
