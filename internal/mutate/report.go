package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

const intro = `# Mutations

Each line is a small wrong change to ` + "`wire`, `registry` or `epmd/session`" + `, the
rule that it breaks, and the test that noticed: the first to fail, of the mutated
package before those above it. ` + "`go run ./internal/mutate >docs/mutations.md`" + `
makes this table anew and fails when fewer than 95 % are noticed.

`

// tally counts outcomes.
type tally struct{ mutants, killed, survived, errors int }

func count(outcomes []outcome) (t tally) {
	for _, o := range outcomes {
		t.mutants++
		switch {
		case o.killed():
			t.killed++
		case o.survived():
			t.survived++
		default:
			t.errors++
		}
	}
	return t
}

func (t tally) percent() float64 { return 100 * float64(t.killed) / float64(t.mutants) }

func (t tally) String() string {
	s := fmt.Sprintf("%d of %d mutants killed (%.1f %%)", t.killed, t.mutants, t.percent())
	if t.errors > 0 {
		s += fmt.Sprintf(", %d in error", t.errors)
	}
	return s
}

// judge is nil if there is no error in the list and enough mutants were killed.
func judge(outcomes []outcome) error {
	errs := []error{}
	t := count(outcomes)
	if t.percent() < enough {
		errs = append(errs, fmt.Errorf("%s, must be %d %%", t, enough))
	}
	for _, o := range outcomes {
		if o.err != nil {
			why, _, _ := strings.Cut(o.err.Error(), "\n") // progress has told it all
			errs = append(errs, fmt.Errorf("%s: %s", o.id, why))
		}
	}
	return errors.Join(errs...)
}

// report writes the counts and the table in Markdown, the survivors by name.
func report(out io.Writer, outcomes []outcome) error {
	var b strings.Builder
	b.WriteString(intro)
	fmt.Fprintf(&b, "%s.\n\n| package | mutants | killed |\n|---|---|---|\n", count(outcomes))
	byPackage := map[string][]outcome{}
	for _, o := range outcomes {
		byPackage[o.pkg()] = append(byPackage[o.pkg()], o)
	}
	for _, pkg := range visible["./wire"] {
		t := count(byPackage[pkg])
		fmt.Fprintf(&b, "| `%s` | %d | %d |\n", strings.TrimPrefix(pkg, "./"), t.mutants, t.killed)
	}
	for _, o := range outcomes {
		if o.survived() {
			fmt.Fprintf(&b, "\nSurvived: `%s`: %s.\n", o.id, o.breaks)
		}
	}
	b.WriteString("\n| mutation | kind | file | rule that it breaks | killed by |\n|---|---|---|---|---|\n")
	for _, o := range outcomes {
		by := "**SURVIVED**"
		if o.killed() {
			by = o.by.cell(o.pkg())
		} else if o.err != nil {
			by = "**ERROR**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", path.Base(o.id), o.kind, o.file, o.breaks, by)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// cell is the failure in a table about mutants of a package.
func (f failure) cell(mutated string) string {
	s := "`" + f.Test + "`"
	if f.Package != mutated {
		s += " of " + strings.TrimPrefix(f.Package, "./")
	}
	if f.How != "" {
		s += ", " + f.How
	}
	return s
}

// jsonOutcome is an outcome as -json tells it.
type jsonOutcome struct {
	ID      string   `json:"id"`
	File    string   `json:"file"`
	Kind    kind     `json:"kind"`
	Breaks  string   `json:"breaks"`
	Status  string   `json:"status"` // killed, survived or error
	By      *failure `json:"by,omitempty"`
	Error   string   `json:"error,omitempty"`
	Seconds float64  `json:"seconds"`
}

func reportJSON(out io.Writer, outcomes []outcome) error {
	all := make([]jsonOutcome, 0, len(outcomes))
	for _, o := range outcomes {
		j := jsonOutcome{
			ID: o.id, File: o.file, Kind: o.kind, Breaks: o.breaks, Status: "survived", Seconds: o.time.Seconds(),
		}
		switch {
		case o.err != nil:
			j.Status, j.Error = "error", o.err.Error()
		case o.killed():
			j.Status, j.By = "killed", &o.by
		}
		all = append(all, j)
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(all)
}
