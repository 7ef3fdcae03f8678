package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Text writes a report for a terminal.
func (r Report) Text(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%s\n\n", strings.Join(r.heading(), "\n")); err != nil {
		return err
	}
	for _, g := range r.grids() {
		if err := g.text(w); err != nil {
			return err
		}
	}
	return r.remarks(w, "")
}

// Markdown writes a report as a part of a document.
func (r Report) Markdown(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%s\n\n", strings.Join(r.heading(), "  \n")); err != nil {
		return err
	}
	for _, g := range r.grids() {
		if err := g.markdown(w); err != nil {
			return err
		}
	}
	return r.remarks(w, "- ")
}

// JSON writes a report with all that was measured, and the summary of each cell.
func (r Report) JSON(w io.Writer) error {
	type cell struct {
		Cell
		Summary Summary `json:"summary"`
	}
	full := struct {
		Report
		Cells []cell `json:"cells"`
	}{Report: r}
	for _, c := range r.Cells {
		full.Cells = append(full.Cells, cell{c, c.Summary()})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(full)
}

// heading says what was measured and where.
func (r Report) heading() []string {
	p, m := r.Plan, r.Machine
	network := "in the network of the machine"
	if m.OwnNetwork {
		network = "in a network of its own"
	}
	tracking := "no connection was tracked"
	if m.Tracked > 0 {
		tracking = fmt.Sprintf("THE KERNEL TRACKED CONNECTIONS (%d): that costs CPU on both sides, and hangs when its table is full", m.Tracked)
	}
	return []string{
		fmt.Sprintf("A is %s: %s", p.A.Name, strings.Join(append([]string{p.A.Path}, p.A.Args...), " ")),
		fmt.Sprintf("B is %s: %s", p.B.Name, strings.Join(append([]string{p.B.Path}, p.B.Args...), " ")),
		fmt.Sprintf("%d pairs of %v each, %d clients, %s; %s", p.Pairs, p.Time, p.Clients, network, tracking),
		fmt.Sprintf("%s, %d CPUs, load %.1f before and %.1f after; %s, took %v",
			m.Kernel, m.CPUs, m.LoadBefore, m.LoadAfter, r.Began.UTC().Format("2006-01-02 15:04 UTC"), r.Took.Round(1e9)),
		"A gain is taken pair by pair; above 1 it is A that is better.",
	}
}

// grids are the tables.
func (r Report) grids() []grid {
	cpu := grid{
		title: "Server CPU per operation, µs (medians)", words: 1,
		head: []string{"mode", "nodes", "A", "B", "gain", "quartiles", "min–max", "failed A", "failed B", "A + load", "B + load", "others"},
	}
	speed := grid{
		title: "Throughput, and latency in µs (medians)", words: 1,
		head: []string{"mode", "nodes", "A op/s", "B op/s", "gain", "A p50", "B p50", "A p99", "B p99", "gain", "min–max", "A p99.9", "B p99.9"},
	}
	idle := grid{
		title: "Registrations that do nothing (medians)", words: 1,
		head: []string{"side", "nodes", "held", "bytes/node", "min–max", "gain", "CPU µs each", "first/s", "last/s", "rest ms/s", "lost", "gone ms", "left KiB"},
	}
	for _, c := range r.Cells {
		s, nodes := c.Summary(), strconv.Itoa(c.Nodes)
		if c.Mode == Idle {
			idle.rows = append(idle.rows, c.idleRow("A", s, nodes), c.idleRow("B", s, nodes))
			continue
		}
		a, b := c.holds("A", s.CPU.A), c.holds("B", s.CPU.B)
		cpu.rows = append(cpu.rows, []string{
			string(c.Mode), nodes, a, b, ratio(s.CPU.Gain.Median, s.CPU.Gain), between(s.CPU.Gain.Low, s.CPU.Gain.High, s.CPU.Gain),
			between(s.CPU.Gain.Min, s.CPU.Gain.Max, s.CPU.Gain), strconv.Itoa(s.FailedA), strconv.Itoa(s.FailedB),
			sum(s.CPU.A, s.ClientCPU.A), sum(s.CPU.B, s.ClientCPU.B), percent(s.Others),
		})
		speed.rows = append(speed.rows, []string{
			string(c.Mode), nodes, number(s.Rate.A), number(s.Rate.B), ratio(s.Rate.Gain.Median, s.Rate.Gain),
			number(s.P50.A), number(s.P50.B), number(s.P99.A), number(s.P99.B), ratio(s.P99.Gain.Median, s.P99.Gain),
			between(s.P99.Gain.Min, s.P99.Gain.Max, s.P99.Gain), number(s.P999.A), number(s.P999.B),
		})
	}
	return slices.DeleteFunc([]grid{cpu, speed, idle}, func(g grid) bool { return len(g.rows) == 0 })
}

func (c Cell) idleRow(name string, s Summary, nodes string) []string {
	of := func(f Figure) Spread { return f.A }
	gain := ratio(s.NodeBytes.Gain.Median, s.NodeBytes.Gain)
	if name == "B" {
		of, gain = func(f Figure) Spread { return f.B }, ""
	}
	var held, lost, rest []float64
	for _, side := range c.sides(name) {
		held = append(held, float64(side.Held))
		if r := side.Idle; r != nil {
			if r.Lost >= 0 {
				lost = append(lost, float64(r.Lost))
			}
			if r.RestTook > 0 {
				rest = append(rest, 1000*r.RestCPU.Seconds()/r.RestTook.Seconds())
			}
		}
	}
	bytes := of(s.NodeBytes)
	return []string{
		name, nodes, number(NewSpread(held)), number(bytes), span(bytes), gain, number(of(s.FillCPU)),
		number(of(s.FirstRate)), number(of(s.LastRate)), number(NewSpread(rest)), number(NewSpread(lost)),
		number(of(s.GoneMS)), number(of(s.AfterKiB)),
	}
}

// sides are those of one program.
func (c Cell) sides(name string) []Side {
	all := make([]Side, len(c.Pairs))
	for i, p := range c.Pairs {
		all[i] = p.A
		if name == "B" {
			all[i] = p.B
		}
	}
	return all
}

// holds is the CPU of one side, or why there is none.
func (c Cell) holds(name string, cpu Spread) string {
	if cpu.N > 0 {
		return number(cpu)
	}
	for _, s := range c.sides(name) {
		if s.Held < c.Nodes {
			return fmt.Sprintf("stops at %d nodes", s.Held)
		}
	}
	return "–"
}

// remarks are what went wrong, once for each kind in each cell.
func (r Report) remarks(w io.Writer, bullet string) error {
	for _, c := range r.Cells {
		for _, name := range []string{"A", "B"} {
			seen := map[string]int{}
			for _, s := range c.sides(name) {
				for _, what := range s.troubles(c.Nodes) {
					seen[what]++
				}
			}
			for _, what := range slices.Sorted(mapKeys(seen)) {
				_, err := fmt.Fprintf(w, "%s%s, %d nodes, %s: %s (%d of %d pairs)\n", bullet, c.Mode, c.Nodes, name, what, seen[what], len(c.Pairs))
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// troubles are what went wrong with one side.
func (s Side) troubles(nodes int) []string {
	var all []string
	if s.Held < nodes || s.Stopped != "" {
		all = append(all, fmt.Sprintf("stops at %d nodes: %s", s.Held, s.Stopped))
	}
	if s.Died != "" {
		all = append(all, "the daemon ended by itself: "+s.Died)
	}
	if s.Load != nil {
		for _, what := range slices.Sorted(mapKeys(s.Load.Failed)) {
			all = append(all, "failed: "+what)
		}
	}
	if s.Idle != nil && s.Idle.Lost > 0 {
		all = append(all, fmt.Sprintf("%d nodes were lost while they were connected", s.Idle.Lost))
	}
	if s.Idle != nil && s.Idle.Gone < 0 {
		all = append(all, fmt.Sprintf("nodes were still listed %v after their end", GoneWithin))
	}
	return all
}

func mapKeys(m map[string]int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// number is a median with three digits that count.
func number(s Spread) string {
	if s.N == 0 {
		return "–"
	}
	return digits(s.Median)
}

func digits(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func ratio(v float64, s Spread) string {
	if s.N == 0 {
		return "–"
	}
	if v >= 10 {
		return digits(v)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func between(low, high float64, s Spread) string {
	if s.N == 0 {
		return ""
	}
	return ratio(low, s) + "–" + ratio(high, s)
}

func span(s Spread) string {
	if s.N == 0 {
		return ""
	}
	return digits(s.Min) + "–" + digits(s.Max)
}

func sum(a, b Spread) string {
	if a.N == 0 || b.N == 0 {
		return "–"
	}
	return digits(a.Median + b.Median)
}

func percent(s Spread) string {
	if s.N == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*s.Median)
}
