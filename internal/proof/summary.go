package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// summary is the table of all stages, and what was skipped with the reason. Its last line is
// the sum of all.
func summary(results []*result, lost []test) string {
	var b strings.Builder
	fmt.Fprintln(&b)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "stage\tseconds\tCPU seconds\tpassed\tfailed\tskipped\t")
	var all counts
	var cpu time.Duration
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%d\t%d\t%d\t%s\n", r.name, r.wall.Seconds(), r.cpu.Seconds(),
			r.counted.passed, r.counted.failed, r.counted.skipped, remark(r))
		all = all.plus(r.counted)
		cpu += r.cpu
	}
	fmt.Fprintf(w, "all\t%.1f\t%.1f\t%d\t%d\t%d\t\n", took(results).Seconds(), cpu.Seconds(), all.passed, all.failed, all.skipped)
	_ = w.Flush() // to memory
	b.WriteString(skips(results))
	for _, t := range lost {
		fmt.Fprintf(&b, "LOST: %s is skipped by `make test` and played by no stage of `make proof`\n", t)
	}
	fmt.Fprintf(&b, "%d passed, %d failed, %d skipped\n", all.passed, all.failed+len(lost), all.skipped)
	return b.String()
}

// remark is what stands behind a stage in the table.
func remark(r *result) string {
	if r.failed() {
		return "  FAILED: " + strings.ReplaceAll(r.err.Error(), "\n", "; ")
	}
	if r.tally == nil || len(r.cover) == 0 {
		return ""
	}
	var parts []string
	for _, pkg := range slices.Sorted(maps.Keys(r.tally.covered)) {
		parts = append(parts, fmt.Sprintf("%s %.1f %%", pkg, r.tally.covered[pkg]))
	}
	return "  covered: " + strings.Join(parts, ", ")
}

// took is the time from the first stage's begin to the last one's end.
func took(results []*result) time.Duration {
	var first, last time.Time
	for _, r := range results {
		if r.begun.IsZero() {
			continue
		}
		if first.IsZero() || r.begun.Before(first) {
			first = r.begun
		}
		if end := r.begun.Add(r.wall); end.After(last) {
			last = end
		}
	}
	return last.Sub(first)
}

// skips lists the reasons for which tests were skipped, each with the tests.
func skips(results []*result) string {
	why := make(map[string][]string)
	for _, r := range results {
		if r.tally == nil {
			continue
		}
		for t, reason := range r.tally.skipped {
			why[reason] = append(why[reason], t.String())
		}
	}
	var b strings.Builder
	for _, reason := range slices.Sorted(maps.Keys(why)) {
		tests := why[reason]
		slices.Sort(tests)
		fmt.Fprintf(&b, "skipped %d: %s: %s\n", len(tests), reason, strings.Join(tests, ", "))
	}
	return b.String()
}
