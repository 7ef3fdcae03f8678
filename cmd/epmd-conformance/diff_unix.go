//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/fuzz/differ"
	"github.com/goepmd/goepmd/internal/cmdline"
)

// diffCommand plays the same conversations to two programs.
func diffCommand() *cli.Command {
	return &cli.Command{
		Name: "diff", Usage: "play random conversations to two EPMDs in lock-step, and show where they differ",
		Description: "Starts both on free ports of the loopback addresses. Half of the conversations that\n" +
			"are played alone are scenarios of the suite, changed a little. A difference is played\n" +
			"to fresh daemons. If it comes again it is shrunk, and shown as a scenario that says what\n" +
			"-a does. If not, all that the daemons had before is played again; a difference that does\n" +
			"not come again even then is unsteady. The exit status is 1 for any other difference, and\n" +
			fmt.Sprintf("for more than %d unsteady ones.\n\n", differ.MaxUnsteady) +
			"A machine that runs containers tracks every connection on loopback, which slows them\n" +
			"down much. In a network of its own there is no such thing; as root:\n\n" +
			"    unshare -n sh -c 'ip link set lo up && epmd-conformance diff -a PROGRAM -b PROGRAM'",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "a", Usage: "the one EPMD `PROGRAM`, which is taken for right", Required: true},
			&cli.StringFlag{Name: "b", Usage: "the other EPMD `PROGRAM`", Required: true},
			&cmdline.Int64{Name: "n", Usage: "how many `STEPS` to play; 0 goes on for ever, or for -time", Value: 100_000},
			&cmdline.Duration{Name: "time", Usage: "the `TIME` to play at most; 0 is no limit"},
			&cmdline.Uint64{Name: "seed", Usage: "the `NUMBER` that the conversations are made of; shown", DefaultText: "new each time"},
			&cmdline.Int{Name: "workers", Usage: "how `MANY` pairs of daemons are played to at once", Value: runtime.GOMAXPROCS(0)},
			&cmdline.Int{Name: "width", Usage: fmt.Sprintf("how `MANY` conversations are played side by side to one pair, 2 to %d", differ.MaxPrefixes), Value: 32},
			&cmdline.Int{Name: "life", Usage: "how `MANY` conversations a pair of daemons lives for", Value: 4096},
			&cmdline.Int{Name: "alone-every", Usage: "how `MANY` conversations come before one that is played alone, and may do anything", Value: 20},
		},
		Action: diff,
	}
}

func diff(ctx context.Context, c *cli.Command) error {
	if err := cmdline.None(c); err != nil {
		return err
	}
	if d := c.Duration("time"); d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	seed := c.Uint64("seed")
	if !c.IsSet("seed") {
		seed = uint64(time.Now().UnixNano())
	}
	seeds, err := suiteSeeds()
	if err != nil {
		return err
	}
	out := c.Root().Writer
	fmt.Fprintf(out, "seed %d; the same again: -seed %d -workers %d -width %d -life %d -alone-every %d\n",
		seed, seed, c.Int("workers"), c.Int("width"), c.Int("life"), c.Int("alone-every"))
	var mu sync.Mutex // of out
	daemons := pairs{a: c.String("a"), b: c.String("b")}
	r := differ.Run{
		Start: daemons.start, Steps: c.Int64("n"), Seed: seed, Seeds: seeds,
		Workers: c.Int("workers"), Width: c.Int("width"), Life: c.Int("life"), AloneEvery: c.Int("alone-every"),
		Progress: func(s differ.Stats) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(out, "%4.0f s  %9d steps  %8d conversations  %d differences  %d unsteady\n", s.Elapsed.Seconds(), s.Steps, s.Conversations, s.Differences, s.Unsteady)
		},
		Found: func(d *differ.Difference) {
			text := ""
			if d.Before == 0 && !d.Unsteady {
				text = fmt.Sprintf("as a scenario, with what %s does:\n\n%s\n", daemons.a, daemons.scenario(context.WithoutCancel(ctx), d))
			}
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(out, "\nDIFFERENCE %s\n%s", d, text)
		},
	}
	s, err := r.Play(ctx)
	statistics(out, s, seed, daemons.cpu())
	if errors.Is(err, differ.ErrDiffers) {
		return errFailed
	}
	return err
}

// suiteSeeds are the suite's own conversations.
func suiteSeeds() ([]differ.Conversation, error) {
	all, err := conformance.Scenarios()
	if err != nil {
		return nil, err
	}
	var seeds []differ.Conversation
	for _, s := range all {
		flat, err := s.Flat()
		if err != nil {
			return nil, err
		}
		if c, ok := differ.FromScenario(flat); ok {
			seeds = append(seeds, c)
		}
	}
	return seeds, nil
}

// statistics shows what was done, and how fast.
func statistics(out io.Writer, s differ.Stats, seed uint64, cpu time.Duration) {
	seconds := max(s.Elapsed.Seconds(), 1e-9)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(what string, n int64) {
		fmt.Fprintf(w, "%s\t%d\t%.0f /s\t%.0f /s of processor time\t\n", what, n, float64(n)/seconds, float64(n)/max(cpu.Seconds(), 1e-9))
	}
	fmt.Fprintf(w, "\nseed %d, %.1f s, %.1f s of processor time in all three programs\n", seed, seconds, cpu.Seconds())
	line("conversations", s.Conversations)
	line("of them alone", s.Alone)
	line("steps", s.Steps)
	for k, n := range s.Kinds {
		line(differ.Kind(k).String(), n)
	}
	line("connections", s.Conns)
	line("pairs of daemons", s.Pairs)
	line("differences", s.Differences)
	line(fmt.Sprintf("unsteady, of %d at most", differ.MaxUnsteady), s.Unsteady)
	_ = w.Flush() // to where the errors would go
}
