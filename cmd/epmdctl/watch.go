package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/epmd"
)

// change is one thing that -watch sees.
type change struct {
	At time.Time `json:"at"`
	// Change is "up" or "down" of a node, "lost" or "back" of the EPMD.
	Change string `json:"change"`
	*row
	Error string `json:"error,omitempty"`
}

// String is the change as a line.
func (c change) String() string {
	at := c.At.Format(time.TimeOnly)
	switch c.Change {
	case "up":
		return fmt.Sprintf("%s + %s at port %d", at, show(c.Name), c.Port)
	case "down":
		return fmt.Sprintf("%s - %s at port %d", at, show(c.Name), c.Port)
	case "lost":
		return fmt.Sprintf("%s ! %s", at, c.Error)
	}
	return at + " ! EPMD answers again"
}

// watcher is what was seen last.
type watcher struct {
	rows []row
	lost bool
}

// changes are what a new look shows.
func (w *watcher) changes(rows []row, err error, now time.Time) (out []change) {
	switch {
	case err != nil && w.lost:
		return nil
	case err != nil:
		w.lost = true
		return []change{{At: now, Change: "lost", Error: oneLine(err)}}
	case w.lost:
		w.lost = false
		out = append(out, change{At: now, Change: "back"})
	}
	for _, r := range w.rows {
		if !hasRow(rows, r) {
			out = append(out, change{At: now, Change: "down", row: &r})
		}
	}
	for _, r := range slices.Backward(rows) { // the one that came first, first
		if !hasRow(w.rows, r) {
			out = append(out, change{At: now, Change: "up", row: &r})
		}
	}
	w.rows = rows
	return out
}

func hasRow(rows []row, r row) bool {
	return slices.ContainsFunc(rows, func(o row) bool { return o.Name == r.Name && o.Port == r.Port })
}

// watch shows the list, or what changes in it, until the context ends, which is no error.
func watch(ctx context.Context, c *cli.Command, cl *epmd.Client, s streams) error {
	tick := time.NewTicker(c.Duration("interval"))
	defer tick.Stop()
	how := lookOf(c)
	var w watcher
	for {
		rows, err := list(ctx, cl, how)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			err = inWords(cl, err)
		}
		switch {
		case s.terminal && !asJSON(c):
			err = redraw(s, where(cl), how.long, rows, err)
		default:
			err = s.tell(w.changes(rows, err, time.Now()), asJSON(c))
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// tell writes changes, a line for each.
func (s streams) tell(all []change, asJSON bool) error {
	for _, ch := range all {
		var err error
		if asJSON {
			err = s.writeLine(ch)
		} else {
			_, err = fmt.Fprintln(s.out, ch)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// redraw writes the whole screen at once, so that it does not flicker.
func redraw(s streams, where string, long bool, rows []row, failed error) error {
	const home, clear = "\x1b[H", "\x1b[J"
	p := s.paint()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%s%s, %s  %s\n\n", home, clear, p.bold("EPMD of "+where), count(len(rows), "node"), p.dim(time.Now().Format(time.TimeOnly)))
	switch {
	case failed != nil:
		b.WriteString(p.bad(oneLine(failed)) + "\n")
	case len(rows) > 0:
		if err := table(&b, title(long), columns(rows)); err != nil {
			return err
		}
	}
	_, err := s.out.Write(b.Bytes())
	return err
}
