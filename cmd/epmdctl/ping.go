package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v3"
)

// The exit statuses of ping, as monitoring has them.
const (
	pingOK = iota
	pingWarning
	pingCritical
	pingUnknown
)

// unknown says whether a command line is that of ping, which has a status of its own for
// one that cannot be read.
func unknown(args []string) bool {
	for _, a := range args[min(len(args), 1):] {
		if slices.ContainsFunc(program(streams{}).Commands, func(c *cli.Command) bool { return c.HasName(a) }) {
			return a == "ping"
		}
	}
	return false
}

func pingCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "ping", Usage: "measure how long EPMD takes to answer; for health checks",
		Description: "Asks for the list of names, and measures connecting and answering together. The last\n" +
			"line, and with -quiet the only one, is made for Nagios and its kin.\n\n" +
			"   epmdctl ping -c 5\n" +
			"   epmdctl -W 1s ping -quiet -warn 50ms -critical 500ms\n" +
			"   HEALTHCHECK CMD [\"epmdctl\", \"ping\", \"-quiet\"]\n\n" +
			"Exit status: 0 if all was well; 1, warning, if some were not answered or the mean is\n" +
			"above -warn; 2, critical, if none was answered or the mean is above -critical; 3 if the\n" +
			"command line cannot be read.",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "count", Aliases: []string{"c"}, Usage: "how `MANY` times to ask; 0 until interrupted", Value: 1},
			&cli.DurationFlag{Name: "interval", Aliases: []string{"i"}, Usage: "how `LONG` from one to the next", Value: time.Second},
			&cli.DurationFlag{Name: "warn", Usage: "a mean above this `TIME` is a warning"},
			&cli.DurationFlag{Name: "critical", Usage: "a mean above this `TIME` is critical"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "the last line only"},
		},
		Action: func(ctx context.Context, c *cli.Command) error { return ping(ctx, c, s) },
	}
}

func ping(ctx context.Context, c *cli.Command, s streams) error {
	every, n := c.Duration("interval"), c.Int("count")
	if err := none(c); err != nil {
		return err
	}
	if every <= 0 || n < 0 {
		return errors.New("-interval and -count must not be below zero, and -interval not be zero")
	}
	cl := client(c, "")
	var sum tally
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; (n == 0 || i < n) && ctx.Err() == nil; i++ {
		if i > 0 {
			select {
			case <-tick.C:
			case <-ctx.Done():
				continue
			}
		}
		began := time.Now()
		names, err := cl.Names(ctx)
		took := time.Since(began)
		if err != nil && ctx.Err() != nil {
			break // it was not EPMD that did not answer
		}
		sum.add(took, len(names.Nodes), err)
		switch {
		case c.Bool("quiet"):
		case err != nil:
			fmt.Fprintf(s.out, "no answer of %s: %s\n", where(cl), oneLine(err))
		default:
			fmt.Fprintf(s.out, "answer of %s: %s, %s\n", where(cl), count(len(names.Nodes), "node"), milli(took))
		}
	}
	code, text := sum.verdict(c.Duration("warn"), c.Duration("critical"))
	fmt.Fprintln(s.out, text)
	if code == pingOK {
		return nil
	}
	return status{code: code}
}

// tally is what came of the questions.
type tally struct {
	asked  int
	times  []time.Duration
	nodes  int
	reason error // why the last one that was not answered was not
}

func (t *tally) add(took time.Duration, nodes int, err error) {
	t.asked++
	if err != nil {
		t.reason = err
		return
	}
	t.times = append(t.times, took)
	t.nodes = nodes
}

func (t *tally) mean() time.Duration {
	var sum time.Duration
	for _, d := range t.times {
		sum += d
	}
	return sum / time.Duration(max(len(t.times), 1))
}

// verdict is the exit status, and a line with figures behind a bar, as monitoring reads it.
func (t *tally) verdict(warn, critical time.Duration) (code int, text string) {
	if t.asked == 0 {
		return pingUnknown, "EPMD UNKNOWN - nothing was asked"
	}
	if len(t.times) == 0 {
		return pingCritical, fmt.Sprintf("EPMD CRITICAL - 0 of %d answered: %s | lost=100%%", t.asked, oneLine(t.reason))
	}
	mean := t.mean()
	word := "OK"
	switch {
	case critical > 0 && mean > critical:
		code, word = pingCritical, "CRITICAL"
	case warn > 0 && mean > warn, len(t.times) < t.asked:
		code, word = pingWarning, "WARNING"
	}
	lost := 100 * (t.asked - len(t.times)) / t.asked
	return code, fmt.Sprintf("EPMD %s - %d of %d answered, %s to %s, %s on average, %s | time=%fs;%s;%s;0 lost=%d%%;;;0;100 nodes=%d",
		word, len(t.times), t.asked, milli(slices.Min(t.times)), milli(slices.Max(t.times)), milli(mean), count(t.nodes, "node"),
		mean.Seconds(), limit(warn), limit(critical), lost, t.nodes)
}

// limit is a threshold in seconds, empty if there is none.
func limit(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return fmt.Sprintf("%g", d.Seconds())
}

func milli(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }
