package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// result is what became of a stage.
type result struct {
	stage
	begun     time.Time
	wall, cpu time.Duration
	err       error // why it failed, or was not run
	tally     *tally
	counted   counts
	log       string // the file with what it printed
	end       string // the last of it
}

func (r *result) failed() bool { return r.err != nil }

// errNotRun is of a stage whose turn did not come.
var errNotRun = errors.New("not run")

// schedule hands out the stages of a lane in their order, as soon as what they need has
// passed and the lane has room.
type schedule struct {
	waiting []*result
	passed  map[string]bool
	running map[lane]int
}

// room says whether another stage of a lane may begin: two that wait run beside one that
// computes, or two that compute alone, many of which cannot use two processors.
func (s *schedule) room(l lane) bool {
	if l == computes && s.running[waits] > 0 {
		return s.running[computes] < 1
	}
	return s.running[l] < 2
}

// next takes a stage that can begin now out of those that wait for their turn, or says that
// none can. Stages that wait come first, since others compute beside them.
func (s *schedule) next() *result {
	for _, l := range []lane{waits, computes} {
		for i, r := range s.waiting {
			ready := !slices.ContainsFunc(r.after, func(name string) bool { return !s.passed[name] })
			if r.lane == l && ready && s.room(l) {
				s.waiting = slices.Delete(s.waiting, i, i+1)
				s.running[l]++
				return r
			}
		}
	}
	return nil
}

// runAll runs stages, some at once, and gives what became of them in their order.
func runAll(ctx context.Context, stages []stage, p *progress) []*result {
	results := make([]*result, len(stages))
	for i, s := range stages {
		results[i] = &result{stage: s, err: errNotRun}
		if s.tests {
			results[i].tally = newTally()
		}
	}
	s := &schedule{waiting: slices.Clone(results), passed: make(map[string]bool), running: make(map[lane]int)}
	stop := p.start()
	defer stop()
	ended := make(chan *result)
	for busy := 0; ; busy-- {
		for ctx.Err() == nil {
			r := s.next()
			if r == nil {
				break
			}
			busy++
			r.err = nil
			p.begin(r)
			go func() {
				r.run(ctx, p)
				ended <- r
			}()
		}
		if busy == 0 {
			break
		}
		r := <-ended
		s.running[r.lane]--
		s.passed[r.name] = !r.failed()
		p.end(r)
	}
	for _, r := range s.waiting {
		r.err = fmt.Errorf("%w: a stage that it needs has failed", errNotRun)
		if ctx.Err() != nil {
			r.err = fmt.Errorf("%w: interrupted", errNotRun)
		}
	}
	return results
}

// run runs a stage to its end.
func (r *result) run(ctx context.Context, p *progress) {
	defer func() { r.wall = time.Since(r.begun) }()
	ctx, cancel := context.WithTimeoutCause(ctx, r.limit(), fmt.Errorf("not ended after %v", r.limit()))
	defer cancel()
	r.log = filepath.Join(folder, r.name+".log")
	log, err := os.Create(r.log)
	if err != nil {
		r.err = err
		return
	}
	out := &output{log: log}
	cmd := exec.CommandContext(ctx, r.command[0], r.command[1:]...)
	cmd.Env = append(os.Environ(), r.env...)
	cmd.Stderr = out
	if r.tests {
		r.tally.log = out
		cmd.Stdout = &locked{mu: &p.mu, w: r.tally}
	} else {
		cmd.Stdout = out
	}
	inGroup(cmd)
	err = cmd.Run()
	if ctx.Err() != nil {
		killGroup(cmd) // whoever has not ended when asked to
		err = context.Cause(ctx)
	}
	if cmd.ProcessState != nil {
		r.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	r.err = errors.Join(err, log.Close())
	r.end = out.end(endLines)
	r.counted = r.count(out)
	if r.err == nil {
		r.err = r.check()
	}
	if r.failed() && r.counted.failed == 0 {
		r.counted.failed = 1
	}
}

// check finds fault with a stage whose command ended well.
func (r *result) check() error {
	if r.tests && r.counted.passed == 0 {
		return errors.New("no test passed: there is none, or all were skipped")
	}
	for pkg, least := range r.cover {
		if got := r.tally.covered[pkg]; got < least {
			return fmt.Errorf("the tests of %s cover %.1f %% of it, and must cover %.0f %%", pkg, got, least)
		}
	}
	return nil
}
