package main

import (
	"fmt"
	"io"
	"slices"
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
	running []*result
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
	r.begun = time.Now()
	p.running = append(p.running, r)
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
	for _, r := range p.running {
		part := fmt.Sprintf("%s %.0f s", r.name, time.Since(r.begun).Seconds())
		if r.tally != nil {
			part += " (" + r.tally.now() + ")"
		}
		parts = append(parts, part)
	}
	p.say("... %s", strings.Join(parts, "; "))
}

func (p *progress) end(r *result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = slices.DeleteFunc(p.running, func(other *result) bool { return other == r })
	if !r.failed() {
		p.say("%s: passed, %.0f s", r.name, r.wall.Seconds())
		return
	}
	p.say("%s: FAILED after %.0f s: %v", r.name, r.wall.Seconds(), r.err)
	if r.tally != nil {
		fmt.Fprint(p.w, r.tally.failures())
	}
	if r.tally == nil || len(r.tally.failed) == 0 {
		fmt.Fprint(p.w, r.end)
	}
	fmt.Fprintf(p.w, "all that it printed: %s\n", r.log)
}
