package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// heartbeat is how often the progress of what runs is shown.
const heartbeat = 20 * time.Second

// progress tells people what runs, a line at a time, with or without a terminal.
type progress struct {
	w     io.Writer
	every time.Duration

	mu      sync.Mutex // of all that follows, and of the tallies of the stages that run
	begun   time.Time
	running []*running
}

type running struct {
	r     *result
	since time.Time
}

// start begins to tell; stop ends it.
func (p *progress) start() (stop func()) {
	p.begun = time.Now()
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		t := time.NewTicker(p.every)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				p.beat()
			}
		}
	})
	return func() {
		close(done)
		all.Wait()
	}
}

func (p *progress) say(format string, args ...any) {
	fmt.Fprintf(p.w, "%5.0f s  %s\n", time.Since(p.begun).Seconds(), fmt.Sprintf(format, args...))
}

func (p *progress) begin(r *result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, &running{r, time.Now()})
	p.say("%s: %s", r.name, r.does)
}

// beat tells how far the stages are that run.
func (p *progress) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.running) == 0 {
		return
	}
	var parts []string
	for _, s := range p.running {
		part := fmt.Sprintf("%s %.0f s", s.r.name, time.Since(s.since).Seconds())
		if s.r.tally != nil {
			part += " (" + s.r.tally.now() + ")"
		}
		parts = append(parts, part)
	}
	p.say("... %s", strings.Join(parts, "; "))
}

func (p *progress) end(r *result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, s := range p.running {
		if s.r == r {
			p.running = append(p.running[:i], p.running[i+1:]...)
			break
		}
	}
	if !r.failed() {
		p.say("%s: passed, %.0f s", r.name, r.wall.Seconds())
		return
	}
	p.say("%s: FAILED after %.0f s: %v", r.name, r.wall.Seconds(), r.err)
	if r.tally != nil {
		fmt.Fprint(p.w, r.tally.failures())
	}
	if text, err := os.ReadFile(r.log); err == nil && (r.tally == nil || len(r.tally.failed) == 0) {
		o := output{log: io.Discard}
		_, _ = o.Write(text) // to memory
		fmt.Fprint(p.w, o.end(80))
	}
	fmt.Fprintf(p.w, "all that it printed: %s\n", r.log)
}
