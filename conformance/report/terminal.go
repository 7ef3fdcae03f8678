package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goepmd/goepmd/conformance"
)

// Options say how [Terminal] writes.
type Options struct {
	// Color allows colours. Whether w is a terminal, and what NO_COLOR says, is for the
	// caller to find out.
	Color bool
	// Width is how many columns there are; zero is 100.
	Width int
	// Verbose lists what was passed, too, names all scenarios that were skipped or
	// deviate, and tells what was seen before a failure.
	Verbose bool
}

// Terminal writes a report for people: a table for each target, what was skipped and
// why, and each failure with both sides of its bytes. Its error is w's.
func Terminal(w io.Writer, r conformance.Report, o Options) error {
	if o.Width <= 0 {
		o.Width = 100
	}
	t := &terminal{o: o, paint: paint(o.Color), report: r}
	for _, c := range r.Columns {
		t.column(c)
	}
	for _, c := range r.Columns {
		t.reasons(c, conformance.Deviates)
		t.reasons(c, conformance.Skipped)
	}
	for _, c := range r.Columns {
		for _, f := range c.Findings(r.Scenarios) {
			t.finding(c, f)
		}
	}
	t.end()
	_, err := w.Write(t.out.Bytes())
	return err
}

// terminal is a text under way.
type terminal struct {
	o      Options
	paint  paint
	report conformance.Report
	out    bytes.Buffer
}

func (t *terminal) line(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	t.out.WriteString(strings.TrimRight(s, " ") + "\n")
}

// held says which version of OTP a target must be like, unless its name says so.
func held(c conformance.Column) string {
	switch otp := fmt.Sprintf("OTP %d", c.OTP); {
	case c.OTP == 0:
		return "any OTP"
	case strings.HasPrefix(c.Target, otp):
		return ""
	default:
		return "held to " + otp
	}
}

// title is what reports call a target, and what it is held to.
func title(c conformance.Column) string {
	if h := held(c); h != "" {
		return clean(c.Target) + ", " + h
	}
	return clean(c.Target)
}

// column is the table of one target: areas and counts.
func (t *terminal) column(c conformance.Column) {
	areas := t.report.Areas()
	width := len("area")
	for _, a := range areas {
		width = max(width, utf8.RuneCountInString(a))
	}
	t.line("%s  %s", t.paint.bold(title(c)), t.paint.dim(seconds(c.Took)))
	head := fmt.Sprintf("  %-*s", width, "area")
	for _, v := range conformance.Verdicts {
		head += fmt.Sprintf("  %8s", v)
	}
	t.line("%s", t.paint.dim(head))
	for _, a := range areas {
		t.counts(a, width, func(r conformance.Result) bool { return r.Area == a }, c)
	}
	t.counts("all", width, func(conformance.Result) bool { return true }, c)
	if s := t.versions(c); s != "" {
		t.line("  %s", s)
	}
	switch {
	case c.Unfinished != "":
		t.line("  %s", t.paint.verdict(conformance.Skipped, "not all was asked: "+clean(c.Unfinished)))
	case !c.Asked():
		t.line("  %s", t.paint.verdict(conformance.Skipped, "nothing was asked"))
	}
	t.line("")
	if !t.o.Verbose {
		return
	}
	for i, r := range c.Results {
		as, _ := like(t.report.Scenarios[i], r)
		if as != "" {
			as = "like " + as
		}
		t.line("  %s  %s  %s", t.paint.verdict(r.Verdict, fmt.Sprintf("%-8s", r.Verdict)), clean(r.Scenario), t.paint.dim(as))
	}
	t.line("")
}

// counts is one line of a table.
func (t *terminal) counts(name string, width int, of func(conformance.Result) bool, c conformance.Column) {
	n := make(map[conformance.Verdict]int)
	for _, r := range c.Results {
		if of(r) {
			n[r.Verdict]++
		}
	}
	line := fmt.Sprintf("  %-*s", width, name)
	for _, v := range conformance.Verdicts {
		line += "  " + t.paint.count(v, n[v], 8)
	}
	t.line("%s", line)
}

// versions tells which versions of OTP the target is like, where they differ.
func (t *terminal) versions(c conformance.Column) string {
	var order []string
	n := make(map[string]int)
	for i, r := range c.Results {
		long, _ := like(t.report.Scenarios[i], r)
		if long == "" {
			continue
		}
		if n[long] == 0 {
			order = append(order, long)
		}
		n[long]++
	}
	for i, long := range order {
		order[i] = fmt.Sprintf("like %s in %d", long, n[long])
	}
	slices.Sort(order)
	if len(order) == 0 {
		return ""
	}
	return strings.Join(order, ", ") + " of the scenarios in which versions differ"
}

// reasons lists why scenarios were skipped, or deviate, with counts.
func (t *terminal) reasons(c conformance.Column, v conformance.Verdict) {
	var order []string
	names := make(map[string][]string)
	total := 0
	for _, r := range c.Results {
		if r.Verdict != v {
			continue
		}
		reason := r.Reason
		if reason == "" {
			reason = "no reason was given"
		}
		if names[reason] == nil {
			order = append(order, reason)
		}
		names[reason] = append(names[reason], r.Scenario)
		total++
	}
	if total == 0 {
		return
	}
	slices.SortStableFunc(order, func(a, b string) int { return len(names[b]) - len(names[a]) })
	t.line("%s", t.paint.verdict(v, fmt.Sprintf("%s %s: %d of %d", strings.ToUpper(string(v)), clean(c.Target), total, len(c.Results))))
	for _, reason := range order {
		t.text(fmt.Sprintf("%6d  ", len(names[reason])), reason)
		if t.o.Verbose || len(names[reason]) == 1 {
			t.text("        ", strings.Join(names[reason], ", "))
		}
	}
	t.line("")
}

// text writes a text behind a head, and wraps it there.
func (t *terminal) text(head, s string) {
	if s == "" {
		return
	}
	indent := strings.Repeat(" ", utf8.RuneCountInString(head))
	for i, paragraph := range strings.Split(strings.TrimRight(clean(s), "\n"), "\n") {
		for j, l := range wrap(paragraph, max(t.o.Width-len(indent), 20)) {
			if i+j > 0 {
				head = indent
			}
			t.line("%s%s", head, l)
		}
	}
}

// wrap breaks a text at blanks; words that are too long stay whole.
func wrap(s string, width int) []string {
	var lines []string
	line := ""
	for _, w := range strings.Split(s, " ") {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > width {
			lines = append(lines, line)
			line = w
			continue
		}
		if line != "" || w == "" {
			line += " "
		}
		line += w
	}
	return append(lines, line)
}

// finding is what went wrong for one cause: one scenario in full, the names of the others.
func (t *terminal) finding(c conformance.Column, f conformance.Finding) {
	shown := f.At[:1]
	if t.o.Verbose {
		shown = f.At
	}
	for i, at := range shown {
		if i > 0 {
			t.line("")
		}
		t.fault(c, t.report.Scenarios[at], c.Results[at])
	}
	defer t.line("")
	others := f.At[len(shown):]
	if len(others) == 0 {
		return
	}
	names := make([]string, len(others))
	for i, at := range others {
		names[i] = c.Results[at].Scenario
	}
	more := ""
	if len(names) > namesShown {
		names, more = names[:namesShown], ", … (-v tells all)"
	}
	t.text("  cause   ", f.Cause)
	t.text("  also    ", fmt.Sprintf("%s for the same cause: %s%s", counted(len(others), "scenario"), strings.Join(names, ", "), more))
	t.line("")
}

// namesShown is how many names of scenarios are shown that failed for the same cause.
const namesShown = 12

// fault is one scenario that failed, or one that the suite could not play.
func (t *terminal) fault(c conformance.Column, s conformance.Scenario, r conformance.Result) {
	head := fmt.Sprintf("%s %s: %s", strings.ToUpper(string(r.Verdict)), clean(c.Target), clean(r.Scenario))
	t.line("%s  %s", t.paint.verdict(r.Verdict, head), t.paint.dim(clean(r.Area)))
	t.text("  rule    ", s.Rule)
	t.text("  why     ", s.Why)
	for _, d := range daemon(s.Daemon) {
		t.text("  daemon  ", d)
	}
	t.text("  reason  ", r.Reason)
	if t.o.Verbose {
		for _, e := range r.Trace {
			t.text(fmt.Sprintf("  seen %-2d ", e.Step), e.Text)
		}
	}
	if f := r.Failure; f != nil {
		t.text(fmt.Sprintf("  step %-2d ", f.Step), f.Text)
		t.text("  but     ", f.What)
		for _, l := range hexTable(f.Expected, f.Got, f.At, t.o.Width, t.paint, "  ") {
			t.line("%s", l)
		}
	}
}

// end is the last line.
func (t *terminal) end() {
	n := make(map[conformance.Verdict]int)
	for _, c := range t.report.Columns {
		for v, k := range c.Count() {
			n[v] += k
		}
	}
	var parts []string
	for _, v := range conformance.Verdicts {
		if n[v] > 0 {
			parts = append(parts, t.paint.verdict(v, fmt.Sprintf("%d %s", n[v], v)))
		}
	}
	verdict := t.paint.verdict(conformance.Passed, "OK")
	switch {
	case slices.ContainsFunc(t.report.Columns, conformance.Column.Bad):
		verdict = t.paint.verdict(conformance.Failed, "NOT CONFORMING")
	case !t.report.Good():
		verdict = t.paint.verdict(conformance.Skipped, "NOT ALL ASKED")
	}
	targets := counted(len(t.report.Columns), "target")
	t.line("%s: %s × %s in %s", verdict, counted(len(t.report.Scenarios), "scenario"), targets, seconds(t.report.Took))
	t.line("  %s", strings.Join(parts, ", "))
}

func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// daemon says how a daemon is started, if it is not plain.
func daemon(c conformance.Config) []string {
	var out []string
	if len(c.Flags) > 0 {
		out = append(out, strings.Join(c.Flags, " "))
	}
	out = append(out, c.Env...)
	if c.PortByEnv {
		out = append(out, "the port is given by ERL_EPMD_PORT")
	}
	if c.Files > 0 {
		out = append(out, fmt.Sprintf("at most %d open files", c.Files))
	}
	return out
}
