package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// The promises, by the name that a program's begins with.
const (
	epollBytes    = 512
	portableBytes = 4608
	slowestLast   = 0.5
	dearestMany   = 1.5
)

// check says which promises were not kept.
func (r report) check(n int) error {
	most := 0.0
	switch {
	case strings.HasPrefix(r.name, "epoll"):
		most = epollBytes
	case strings.HasPrefix(r.name, "portable"):
		most = portableBytes
	default:
		return nil
	}
	var errs []error
	if r.held < n {
		errs = append(errs, fmt.Errorf("%d of %d nodes: %s", r.held, n, r.full))
	}
	if r.lost > 0 {
		errs = append(errs, fmt.Errorf("%d nodes are lost", r.lost))
	}
	if r.each > most {
		errs = append(errs, fmt.Errorf("%.0f bytes for each node, promised are %.0f", r.each, most))
	}
	if r.last < slowestLast*r.first {
		errs = append(errs, fmt.Errorf("the rate falls from %.0f to %.0f registrations/s", r.first, r.last))
	}
	if float64(r.many) > dearestMany*float64(r.few) || r.many == 0 {
		errs = append(errs, fmt.Errorf("a lookup takes %v at %d nodes, %v at %d", r.many, r.held, r.few, fewNodes))
	}
	if r.gone == 0 {
		errs = append(errs, errors.New("nodes are still registered after all have gone"))
	}
	return errors.Join(errs...)
}

// show writes the table, in Markdown.
func show(w io.Writer, all []report) {
	row := func(title string, cell func(report) string) {
		fmt.Fprintf(w, "| %s |", title)
		for _, r := range all {
			fmt.Fprintf(w, " %s |", cell(r))
		}
		fmt.Fprintln(w)
	}
	row("", func(r report) string { return r.name })
	fmt.Fprintf(w, "|---|%s\n", strings.Repeat("---|", len(all)))
	row("nodes held", func(r report) string {
		if r.full != "" {
			return fmt.Sprintf("%d, then: %s", r.held, r.full)
		}
		return fmt.Sprint(r.held)
	})
	row("memory of the empty daemon", func(r report) string { return mib(r.empty) })
	row("memory for each node", func(r report) string { return fmt.Sprintf("%.0f bytes", r.each) })
	row("of that, live objects", func(r report) string {
		if r.heap == 0 {
			return "not told"
		}
		return fmt.Sprintf("%.0f bytes", r.heap)
	})
	row("registrations/s, first and last tenth", func(r report) string { return fmt.Sprintf("%.0f, %.0f", r.first, r.last) })
	row("CPU time of a lookup at 10 nodes", func(r report) string { return µs(r.few) })
	row("the same at all nodes", func(r report) string {
		if r.many == 0 {
			return "not answered"
		}
		return fmt.Sprintf("%s (%.2f times)", µs(r.many), float64(r.many)/float64(r.few))
	})
	row("all have gone at once: nobody registered after", func(r report) string {
		if r.gone == 0 {
			return "never"
		}
		return r.gone.Round(time.Millisecond).String()
	})
	for i, at := range shownAt {
		row(fmt.Sprintf("memory %v later", at), func(r report) string {
			if i >= len(r.left) {
				return "not measured"
			}
			return mib(r.left[i].bytes)
		})
	}
	row("nine tenths of it are back after", func(r report) string {
		if r.back == 0 {
			return fmt.Sprintf("not within %v", backWithin)
		}
		return fmt.Sprintf("%.1f s", r.back.Seconds())
	})
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func µs(d time.Duration) string {
	return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond))
}
