package main

import (
	"fmt"
	"io"
	"os"

	"github.com/goepmd/goepmd/bench"
)

// progress tells how far it is: on a terminal one line that is written over, else a line
// for each pair.
type progress struct {
	w        io.Writer
	terminal bool
	plan     bench.Plan
	last     string // the last pair
}

func newProgress(w io.Writer, p bench.Plan) *progress {
	return &progress{w: w, plan: p, terminal: isTerminal(w)}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

func (p *progress) side(m bench.Mode, nodes, pair int, name string) {
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%s, %d nodes, pair %d of %d: %s   %s", m, nodes, pair+1, p.plan.Pairs, name, p.last)
	}
}

func (p *progress) pair(c bench.Cell) {
	s := c.Summary()
	f, what := s.CPU, "µs CPU per operation"
	if c.Mode == bench.Idle {
		f, what = s.NodeBytes, "bytes per node"
	}
	text := "not on both sides"
	if f.Gain.N > 0 {
		text = fmt.Sprintf("A %.1f, B %.1f %s, gain %.2f", f.A.Median, f.B.Median, what, f.Gain.Median)
	}
	if p.terminal {
		p.last = "(so far: " + text + ")"
		return
	}
	fmt.Fprintf(p.w, "%s, %d nodes, pair %d of %d: medians so far: %s\n", c.Mode, c.Nodes, len(c.Pairs), p.plan.Pairs, text)
}

// end leaves the terminal's line empty.
func (p *progress) end() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
