package main

import (
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// output is what a stage prints: it goes to the log, and its last lines are kept.
type output struct {
	mu   sync.Mutex
	log  io.Writer
	last []byte
}

// lastBytes is how much of a stage's output is kept, and endLines how many lines of it are
// shown if the stage fails.
const (
	lastBytes = 16 << 10
	endLines  = 80
)

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = append(o.last, b...)
	if len(o.last) > 2*lastBytes {
		o.last = append(o.last[:0], o.last[len(o.last)-lastBytes:]...)
	}
	return o.log.Write(b)
}

// end is the last lines, n at most.
func (o *output) end(n int) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := strings.Split(strings.TrimRight(string(o.last), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n") + "\n"
}

// locked is a writer under a lock.
type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// counts is how many checks of a stage passed, failed and were skipped.
type counts struct{ passed, failed, skipped int }

func (c counts) plus(d counts) counts {
	return counts{c.passed + d.passed, c.failed + d.failed, c.skipped + d.skipped}
}

// closing is the line with which a program or script tells what it counted.
var closing = regexp.MustCompile(`(?m)^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$`)

// count is what a stage has counted: the events of Go tests, or its closing line. A
// stage that counts nothing is one check.
func (r *result) count(out *output) counts {
	if r.tests {
		failed := 0
		for _, f := range r.tally.failed {
			if !r.tally.parents[f] {
				failed++
			}
		}
		return counts{len(r.tally.passed), failed, len(r.tally.skipped)}
	}
	if all := closing.FindAllStringSubmatch(out.end(1000), -1); all != nil {
		var c counts
		for i, n := range []*int{&c.passed, &c.failed, &c.skipped} {
			*n, _ = strconv.Atoi(all[len(all)-1][i+1]) // it matches a number, or nothing
		}
		return c
	}
	if r.failed() {
		return counts{}
	}
	return counts{passed: 1}
}
