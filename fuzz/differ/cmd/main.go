//go:build unix

// Command cmd plays the same conversations to two epmd programs and says where they
// differ.
//
//	go run ./fuzz/differ/cmd -a PROGRAM -b PROGRAM [-n STEPS] [-seed N]
//
// It starts the programs itself, on free ports of the loopback addresses, and
// ends them. Progress is shown every second, a table at the end. Each difference
// is shown shrunk, and as a Go literal. The exit status is 0 if there was none, 1
// if there was one, and 2 if it could not go on.
//
// A machine that runs containers tracks every connection on loopback, which slows
// them down much. In a network of its own there is no such thing; as root:
//
//	go build -o differ ./fuzz/differ/cmd
//	unshare -n sh -c 'ip link set lo up && ./differ -a PROGRAM -b PROGRAM'
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/goepmd/goepmd/fuzz/differ"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("cmd", flag.ContinueOnError)
	flags.SetOutput(stderr)
	a := flags.String("a", "", "the one epmd `program`")
	b := flags.String("b", "", "the other epmd `program`")
	steps := flags.Int64("n", 100_000, "how many `steps` to play; 0 goes on for ever, or for -time")
	seed := flags.Uint64("seed", uint64(time.Now().UnixNano()), "what the conversations are made of; shown at the end")
	limit := flags.Duration("time", 0, "how long to play at most; 0 is no limit")
	workers := flags.Int("workers", runtime.GOMAXPROCS(0), "how many pairs of daemons are played to at once")
	width := flags.Int("width", 32, "how many conversations are played side by side to one pair, 2 to 40")
	life := flags.Int("life", 4096, "how many conversations a pair of daemons lives for")
	alone := flags.Int("alone-every", 200, "how many conversations are played before one that is played alone")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *a == "" || *b == "" || flags.NArg() > 0 {
		fmt.Fprintln(stderr, "two programs are needed: -a PROGRAM -b PROGRAM")
		flags.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *limit)
		defer cancel()
	}
	var mu sync.Mutex // of stdout
	daemons := programs{a: *a, b: *b}
	r := differ.Run{
		Start: daemons.start, Steps: *steps, Seed: *seed,
		Workers: *workers, Width: *width, Life: *life, AloneEvery: *alone,
		Progress: func(s differ.Stats) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(stdout, "%4.0f s  %9d steps  %8d conversations  %d differences\n", s.Elapsed.Seconds(), s.Steps, s.Conversations, s.Differences)
		},
		Found: func(d *differ.Difference) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(stdout, "\nDIFFERENCE %s\n%#v\n\n", d, d.Conversation)
		},
	}
	s, err := r.Play(ctx)
	table(stdout, s, *seed, daemons.cpu())
	if err != nil {
		fmt.Fprintln(stderr, err)
		if errors.Is(err, differ.ErrDiffers) {
			return 1
		}
		return 2
	}
	return 0
}

// table shows what was done, and how fast.
func table(out io.Writer, s differ.Stats, seed uint64, cpu time.Duration) {
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
	line("unsteady", s.Unsteady)
	_ = w.Flush() // to where the errors would go
}
