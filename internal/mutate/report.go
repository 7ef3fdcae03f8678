package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// tally counts what became of the mutants of a package.
type tally struct {
	Package     string  `json:"package"`
	Mutants     int     `json:"mutants"` // that compile and are not equivalent
	Killed      int     `json:"killed"`
	TimedOut    int     `json:"timedOut"`
	NotReached  int     `json:"notReached"`
	Survived    int     `json:"survived"`
	Percent     float64 `json:"percent"`
	Equivalent  int     `json:"equivalent"`
	NotCompiled int     `json:"notCompiled"`
}

// told is a result as it is reported.
type told struct {
	mutant
	Status status  `json:"status"`
	By     failure `json:"by,omitzero"`
	Reason string  `json:"reason,omitempty"` // why it is equivalent
}

type report struct {
	Packages []tally `json:"packages"`
	Mutants  []told  `json:"mutants"`
	Left     int     `json:"left"` // not come to
	// Stale is the reasons for mutants that are gone, or that tests notice.
	Stale []string `json:"stale"`
}

// newReport counts results. all is every mutant there is in their packages.
func newReport(results []result, reasons map[string]string, all map[string]bool) report {
	r := report{Packages: []tally{}, Mutants: []told{}, Stale: []string{}}
	tallies := map[string]*tally{}
	for _, x := range results {
		t := tallies[x.Package]
		if t == nil {
			t = &tally{Package: x.Package}
			tallies[x.Package] = t
		}
		said := told{mutant: x.mutant, Status: x.became.Status, By: x.became.By}
		why := reasons[x.ID]
		unnoticed := x.became.Status == survived || x.became.Status == notReached
		switch {
		case why != "" && unnoticed:
			said.Reason = why
			t.Equivalent++
		case why != "":
			r.Stale = append(r.Stale, fmt.Sprintf("%s is %s: %s", x.ID, x.became.Status, why))
			fallthrough
		default:
			t.count(x.became.Status)
		}
		r.Mutants = append(r.Mutants, said)
	}
	for _, id := range slices.Sorted(maps.Keys(reasons)) {
		pkg := strings.Join(strings.Split(id, "/")[:max(0, strings.Count(id, "/")-2)], "/")
		if !all[id] && tallies[pkg] != nil {
			r.Stale = append(r.Stale, fmt.Sprintf("%s is gone: %s", id, reasons[id]))
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(tallies)) {
		t := tallies[pkg]
		if t.Mutants > 0 {
			t.Percent = 100 * float64(t.Killed+t.TimedOut) / float64(t.Mutants)
		}
		r.Packages = append(r.Packages, *t)
	}
	return r
}

func (t *tally) count(s status) {
	switch s {
	case notCompiled:
		t.NotCompiled++
		return
	case killed:
		t.Killed++
	case timedOut:
		t.TimedOut++
	case notReached:
		t.NotReached++
	case survived:
		t.Survived++
	}
	t.Mutants++
}

// judge is nil if enough mutants of each package were noticed, and none is left.
func (r report) judge() error {
	errs := []error{}
	for _, t := range r.Packages {
		if t.Mutants > 0 && t.Percent < enough {
			errs = append(errs, fmt.Errorf("%s: the tests notice %.1f %% of the mutants, must be %d %%", t.Package, t.Percent, enough))
		}
	}
	if r.Left > 0 {
		errs = append(errs, fmt.Errorf("%d mutants are left: go on with -resume", r.Left))
	}
	return errors.Join(errs...)
}

func (r report) json(out io.Writer) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

const intro = `# Mutations

A mutant is a package with one small wrong change: a condition that always holds, a
statement that is missing, a number that is one too high. ` + "`go run ./internal/mutate`" + `
runs tests on each, and this is its report: which of them no test noticed. A time-out counts
as noticed. A mutant in a line that no test runs through is not run and counts as survived.
Equivalent ones, which no test can notice for the reason that is given, are not counted.

`

// markdown writes the counts, and the mutants that were not noticed.
func (r report) markdown(out io.Writer) error {
	var b strings.Builder
	b.WriteString(intro)
	b.WriteString("| package | mutants | killed | timed out | not reached | survived | noticed | equivalent | not compiled |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|\n")
	for _, t := range r.Packages {
		fmt.Fprintf(&b, "| `%s` | %d | %d | %d | %d | %d | %.1f %% | %d | %d |\n", t.Package, t.Mutants, t.Killed,
			t.TimedOut, t.NotReached, t.Survived, t.Percent, t.Equivalent, t.NotCompiled)
	}
	if r.Left > 0 {
		fmt.Fprintf(&b, "\n%d mutants were not come to.\n", r.Left)
	}
	r.part(&b, "Survived", func(t told) string {
		if t.Reason != "" || t.Status != survived && t.Status != notReached {
			return ""
		}
		if t.Status == notReached {
			return "not reached, " + t.ID
		}
		return t.ID
	})
	r.part(&b, "Equivalent", func(t told) string { return t.Reason })
	if len(r.Stale) > 0 {
		b.WriteString("\n## Reasons to take out of equivalent.txt\n\n")
		for _, s := range r.Stale {
			fmt.Fprintf(&b, "- %s\n", s)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// part lists the mutants of which there is something to say.
func (r report) part(b *strings.Builder, title string, say func(told) string) {
	first := true
	for _, t := range r.Mutants {
		said := say(t)
		if said == "" {
			continue
		}
		if first {
			fmt.Fprintf(b, "\n## %s\n\n", title)
			first = false
		}
		fmt.Fprintf(b, "- %s %s %s: %s\n", t.place(), t.Operator, t.change(), said)
	}
}
