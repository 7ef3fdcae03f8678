package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// ErrUnsupported says that this system does not tell what a process costs in the way that
// is used here.
var ErrUnsupported = errors.New("measuring needs Linux: it tells the CPU time of another process in nanoseconds")

// Hooks are called by [Run] as it goes. Each may be nil.
type Hooks struct {
	// Pair is called when a pair of a cell is done; the cell holds the pairs so far.
	Pair func(Cell)
	// Side is called when one program is about to be measured.
	Side func(m Mode, nodes, pair int, name string)
}

// Run measures. Each program is started anew, on loopback and a port above 20000, for
// each mode, number of nodes and pair, and the order of A and B changes with every pair.
// What a daemon does wrong is part of the report; an error is only what keeps the
// measuring itself from going on, and then the report holds what was measured before. While it runs it sets GOMAXPROCS, and it raises the
// process's limit of open files for good.
func Run(ctx context.Context, p Plan, h Hooks) (Report, error) {
	if err := p.Check(); err != nil {
		return Report{}, err
	}
	if err := prepare(p); err != nil {
		return Report{}, err
	}
	// A client waits in the kernel without giving back its processor of Go's: with too
	// few of them clients would wait for one another, and latency would be theirs.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(p.Clients + 4))
	rep := Report{Began: time.Now(), Plan: p, Machine: machine()}
	rep.Machine.CPUs = runtime.NumCPU()
	var err error
	for _, m := range p.Modes {
		for _, n := range p.Nodes {
			if err == nil {
				err = runCell(ctx, &rep, h, m, n)
			}
		}
	}
	rep.Took = time.Since(rep.Began)
	rep.Machine.LoadAfter = machine().LoadBefore
	return rep, err
}

// runCell adds a cell to the report, with the pairs that could be measured.
func runCell(ctx context.Context, rep *Report, h Hooks, m Mode, n int) error {
	cell := Cell{Mode: m, Nodes: n}
	set := newNodes(n)
	for i := range rep.Plan.Pairs {
		pair, err := runPair(ctx, rep.Plan, h, m, set, i)
		if err != nil {
			if i > 0 {
				rep.Cells = append(rep.Cells, cell)
			}
			return fmt.Errorf("%s with %d nodes, pair %d: %w", m, n, i+1, err)
		}
		cell.Pairs = append(cell.Pairs, pair)
		rep.Machine.Tracked = max(rep.Machine.Tracked, tracked())
		if h.Pair != nil {
			h.Pair(cell)
		}
	}
	rep.Cells = append(rep.Cells, cell)
	return nil
}

// runPair measures both programs. Odd pairs begin with B, so that what drifts
// favours neither.
func runPair(ctx context.Context, p Plan, h Hooks, m Mode, set *nodes, i int) (Pair, error) {
	pair := Pair{First: "A"}
	sides := []struct {
		program Program
		side    *Side
	}{{p.A, &pair.A}, {p.B, &pair.B}}
	if i%2 == 1 {
		pair.First = "B"
		sides[0], sides[1] = sides[1], sides[0]
	}
	for _, s := range sides {
		if h.Side != nil {
			h.Side(m, len(set.all), i, s.program.Name)
		}
		var err error
		if *s.side, err = runSide(ctx, p, s.program, m, set); err != nil {
			return pair, fmt.Errorf("%s: %w", s.program.Name, err)
		}
	}
	return pair, nil
}
