package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/internal/cmdline"
)

// The exit statuses of ping, as monitoring has them.
const (
	pingOK = iota
	pingWarning
	pingCritical
	pingUnknown
)

// pingStates are the words for them.
var pingStates = [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}

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
			"   epmdctl ping -o json -quiet | jq .state\n" +
			"   HEALTHCHECK CMD [\"epmdctl\", \"ping\", \"-quiet\"]\n\n" +
			"Exit status: 0 if all was well; 1, warning, if some were not answered or the mean is\n" +
			"above -warn; 2, critical, if none was answered or the mean is above -critical; 3 if the\n" +
			"command line cannot be read.",
		Flags: []cli.Flag{
			outputFlag(),
			&cmdline.Int{Name: "count", Aliases: []string{"c"}, Usage: "how `MANY` times to ask; 0 until interrupted", Value: 1},
			&cmdline.Duration{
				Name: "interval", Aliases: []string{"i"}, Usage: "the `TIME` from one to the next", Value: time.Second,
				Config: cmdline.Times{AboveZero: true},
			},
			&cmdline.Duration{Name: "warn", Usage: "a mean above this `TIME` is a warning"},
			&cmdline.Duration{Name: "critical", Usage: "a mean above this `TIME` is critical"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "the last line only"},
		},
		Action: func(ctx context.Context, c *cli.Command) error { return ping(ctx, c, s) },
	}
}

func ping(ctx context.Context, c *cli.Command, s streams) error {
	if err := cmdline.None(c); err != nil {
		return err
	}
	cl, err := client(c, "")
	if err != nil {
		return err
	}
	say := s.sayPing(where(cl), c.Bool("quiet"), asJSON(c))
	n := c.Int("count")
	var sum tally
	tick := time.NewTicker(c.Duration("interval"))
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
		if err != nil {
			err = inWords(cl, err)
		}
		sum.add(took, len(names.Nodes), err)
		if err := say(took, len(names.Nodes), err); err != nil {
			return err
		}
	}
	code, text := sum.verdict(c.Duration("warn"), c.Duration("critical"))
	if asJSON(c) {
		err = s.writeLine(sum.summary(code))
	} else {
		_, err = fmt.Fprintln(s.out, text)
	}
	if err == nil && code != pingOK {
		err = status{code: code}
	}
	return err
}

// sayPing gives what writes each answer, or that there was none.
func (s streams) sayPing(where string, quiet, asJSON bool) func(took time.Duration, nodes int, failed error) error {
	return func(took time.Duration, nodes int, failed error) error {
		var err error
		switch {
		case quiet:
		case asJSON && failed != nil:
			err = s.writeLine(pinged{At: time.Now(), Event: "lost", Error: oneLine(failed)})
		case asJSON:
			err = s.writeLine(pinged{At: time.Now(), Event: "answer", Milliseconds: millis(took), Nodes: &nodes})
		case failed != nil:
			_, err = fmt.Fprintf(s.out, "no answer: %s\n", oneLine(failed))
		default:
			_, err = fmt.Fprintf(s.out, "answer of %s: %s, %s\n", where, count(nodes, "node"), span(took))
		}
		return err
	}
}

// pinged is a line of ping, as JSON.
type pinged struct {
	At time.Time `json:"at"`
	// Event is "answer", "lost" or, for the last line, "summary".
	Event        string   `json:"event"`
	Milliseconds *float64 `json:"milliseconds,omitempty"`
	Nodes        *int     `json:"nodes,omitempty"`
	// Error is why a question was not answered: in the summary, the last such one.
	Error string `json:"error,omitempty"`
	*summary
}

// summary is what came of all, as JSON. The figures are of what was answered.
type summary struct {
	// State is "OK", "WARNING", "CRITICAL" or "UNKNOWN", as the exit status.
	State    string   `json:"state"`
	Asked    int      `json:"asked"`
	Answered int      `json:"answered"`
	Least    *float64 `json:"min_milliseconds,omitempty"`
	Most     *float64 `json:"max_milliseconds,omitempty"`
	Mean     *float64 `json:"mean_milliseconds,omitempty"`
}

// millis are whole microseconds, so that no exponent is ever needed.
func millis(d time.Duration) *float64 {
	return new(float64(d.Microseconds()) / 1000)
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

// summary is what came of them under an exit status.
func (t *tally) summary(code int) pinged {
	s := &summary{State: pingStates[code], Asked: t.asked, Answered: len(t.times)}
	p := pinged{At: time.Now(), Event: "summary", summary: s}
	if t.reason != nil {
		p.Error = oneLine(t.reason)
	}
	if len(t.times) > 0 {
		s.Least, s.Most, s.Mean = millis(slices.Min(t.times)), millis(slices.Max(t.times)), millis(t.mean())
		p.Nodes = &t.nodes
	}
	return p
}

// verdict is the exit status, and a line with figures behind a bar, as monitoring reads it:
// numbers with a unit, and none with an exponent.
func (t *tally) verdict(warn, critical time.Duration) (code int, text string) {
	if t.asked == 0 {
		return pingUnknown, "EPMD UNKNOWN - nothing was asked"
	}
	if len(t.times) == 0 {
		reason := strings.ReplaceAll(oneLine(t.reason), "|", "/") // a bar begins the figures
		return pingCritical, fmt.Sprintf("EPMD CRITICAL - 0 of %d answered: %s | lost=100%%", t.asked, reason)
	}
	mean := t.mean()
	switch {
	case critical > 0 && mean > critical:
		code = pingCritical
	case warn > 0 && mean > warn, len(t.times) < t.asked:
		code = pingWarning
	}
	lost := 100 * (t.asked - len(t.times)) / t.asked
	return code, fmt.Sprintf("EPMD %s - %d of %d answered, %s to %s, %s on average, %s | time=%fs;%s;%s;0 lost=%d%%;;;0;100 nodes=%d",
		pingStates[code], len(t.times), t.asked, span(slices.Min(t.times)), span(slices.Max(t.times)), span(mean), count(t.nodes, "node"),
		mean.Seconds(), limit(warn), limit(critical), lost, t.nodes)
}

// limit is a threshold in seconds, empty if there is none.
func limit(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
}
