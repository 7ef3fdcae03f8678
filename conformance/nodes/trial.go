package nodes

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/goepmd/goepmd/conformance"
)

// Bounds of what a scenario waits for.
const (
	// patience is for what happens at once on a machine that has time for it.
	patience = 90 * time.Second
	// starting is for an application that needs seconds on an idle machine.
	starting = 150 * time.Second
	// whole is for a scenario with all that it starts.
	whole = 5 * time.Minute
)

// trial is a scenario that is being played. What fails ends it, from the goroutine in
// which it runs.
type trial struct {
	stage *stage
	ctx   context.Context
	begun time.Time

	trace   []conformance.Event
	quiet   bool    // steps leave no trace
	seen    []*node // the nodes that took part
	own     []*node // those that nobody else needs
	what    string  // why it failed
	broken  error   // why it could not go on
	skipped string  // why it was not played
	note    string  // what a passed one has to say
}

// play plays a scenario.
func play(run context.Context, st *stage, s scenario) conformance.Result {
	ctx, cancel := context.WithTimeoutCause(run, whole, fmt.Errorf("it took longer than %v", whole))
	defer cancel()
	t := &trial{stage: st, ctx: ctx, begun: time.Now()}
	t.do(func() {
		if s.several && st.suite.MultiTransport == nil {
			t.skip("the daemon was not given the multi-transport extension, which is our own: see Suite.MultiTransport")
		}
		for _, image := range s.images {
			if st.hall.images[image] == "" {
				t.skip("there is no image %q; docker/otp-images makes it", image)
			}
		}
		s.run(t)
	})
	for _, n := range t.own {
		n.hangUp()
	}
	if stopped := context.Cause(run); stopped != nil && t.what != "" {
		t.broken = fmt.Errorf("the run was stopped: %w", stopped)
	}
	return t.result(s.name)
}

// do runs something that may end the trial, and returns when it is over.
func (t *trial) do(what func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		what()
	}()
	<-done
}

func (t *trial) result(name string) conformance.Result {
	r := conformance.Result{
		Scenario: name, Area: Area, Verdict: conformance.Passed, Reason: t.note,
		Trace: t.trace, Took: time.Since(t.begun),
	}
	switch {
	case t.broken != nil:
		r.Verdict, r.Reason = conformance.Broken, t.broken.Error()+t.lastWords()
	case t.skipped != "":
		r.Verdict, r.Reason = conformance.Skipped, t.skipped
	case t.what != "":
		r.Verdict, r.Reason = conformance.Failed, ""
		r.Failure = &conformance.Failure{What: t.what + t.lastWords()}
		if n := len(t.trace); n > 0 {
			r.Failure.Step, r.Failure.Text = t.trace[n-1].Step, t.trace[n-1].Text
		}
	}
	return r
}

// lastWords is what the nodes that took part have printed last.
func (t *trial) lastWords() string {
	var s strings.Builder
	for _, n := range t.seen {
		fmt.Fprintf(&s, "\n%s printed last:\n%s", n.name(), tail(n.printed()))
	}
	return s.String()
}

// tail is the last lines of a text, indented.
func tail(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	const most = 15
	if len(lines) > most {
		lines = append([]string{"..."}, lines[len(lines)-most:]...)
	}
	return "    " + strings.Join(lines, "\n    ")
}

// fail ends the trial: the daemon or the nodes did something else.
func (t *trial) fail(format string, args ...any) {
	t.what = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// must ends the trial if there is an error.
func (t *trial) must(err error) {
	if err == nil {
		return
	}
	if errors.Is(err, errHall) {
		t.broken = err
		runtime.Goexit()
	}
	t.fail("%v", err)
}

// skip ends the trial: it cannot be played, and that is nobody's fault.
func (t *trial) skip(format string, args ...any) {
	t.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// step keeps what was done and what came of it.
func (t *trial) step(text, got string) {
	if t.quiet {
		return
	}
	t.trace = append(t.trace, conformance.Event{
		Step: len(t.trace) + 1, Text: text, Got: []byte(got), At: time.Since(t.begun),
	})
}

// equal fails the trial if two values, as they are printed, differ.
func (t *trial) equal(want, got any, what string, args ...any) {
	w, g := fmt.Sprint(want), fmt.Sprint(got)
	if w != g {
		t.fail("%s: want %s, got %s", fmt.Sprintf(what, args...), w, g)
	}
}

// until looks again and again until it sees the empty string, and fails the trial with
// what it saw last if that takes too long. What is looked at leaves no trace.
func (t *trial) until(limit time.Duration, what string, look func() (wrong string)) {
	deadline := time.Now().Add(limit)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		t.quiet = true
		wrong := look()
		t.quiet = false
		if wrong == "" {
			t.step("wait until "+what, "")
			return
		}
		if time.Now().After(deadline) {
			t.fail("%s: not within %v: %s", what, limit, wrong)
		}
		t.pause(pause)
	}
}

// pause lets time go by.
func (t *trial) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.ctx.Done():
		t.fail("%v", context.Cause(t.ctx))
	}
}
