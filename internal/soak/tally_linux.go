package soak

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
)

// maxWrong is how many faults of a daemon are told in words.
const maxWrong = 10

// tally counts what was done, and what went wrong.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
	wrong  []string
	wrongs int
}

func (t *tally) add(what string) { t.addAll(what, 1) }

func (t *tally) addAll(what string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = make(map[string]int)
	}
	t.counts[what] += n
}

// fail notes what a daemon must not do.
func (t *tally) fail(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrongs++
	if len(t.wrong) < maxWrong {
		t.wrong = append(t.wrong, fmt.Sprintf(format, args...))
	}
}

// sum is how much was done, and how much of it went wrong.
func (t *tally) sum() (done, wrong int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.counts {
		done += n
	}
	return done, t.wrongs
}

// show writes the counts, and what went wrong.
func (t *tally) show(w io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(t.counts)) {
		fmt.Fprintf(w, "  %9d  %s\n", t.counts[what], what)
	}
	fmt.Fprintf(w, "  %9d  wrong\n", t.wrongs)
	for _, what := range t.wrong {
		fmt.Fprintf(w, "             %s\n", what)
	}
}
