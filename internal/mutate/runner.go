package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// runner judges the mutants of packages, one package after the other.
type runner struct {
	config
	m        module
	journal  *journal
	progress io.Writer

	mu          sync.Mutex
	done, total int
}

// result is a mutant and what became of it.
type result struct {
	mutant
	became outcome
}

// all judges every mutant that the journal does not know. left is how many were not
// come to when the time was over.
func (r *runner) all(ctx context.Context, sources []source) (results []result, left int, err error) {
	end := time.Time{}
	if r.last > 0 {
		end = time.Now().Add(r.last)
	}
	known := make([]hashes, len(sources))
	for i, s := range sources {
		if known[i], err = r.m.hash(ctx, s.pkg, judges(s.pkg, r.tests)); err != nil {
			return nil, 0, err
		}
		for _, x := range s.mutants {
			r.total++
			if _, ok := r.journal.known(x.ID, known[i], r.keep); ok {
				r.done++
			}
		}
	}
	if r.done > 0 {
		fmt.Fprintf(r.progress, "%d of %d are known already\n", r.done, r.total)
	}
	for i, s := range sources {
		if err := r.judge(ctx, s, known[i], end); err != nil {
			return nil, 0, err
		}
		for _, x := range s.mutants {
			if o, ok := r.journal.known(x.ID, known[i], r.keep); ok {
				results = append(results, result{x, o})
			} else {
				left++
			}
		}
	}
	return results, left, nil
}

// task is a mutant to judge; in is its number in the bundle, 0 if it is not in there.
type task struct {
	mutant
	in   int
	by   failure
	took time.Duration
}

// judge judges the mutants of a package that are not known yet, until the time is over.
func (r *runner) judge(ctx context.Context, s source, h hashes, end time.Time) (err error) {
	over := func() bool { return !end.IsZero() && time.Now().After(end) }
	unknown := []mutant{}
	for _, x := range s.mutants {
		if _, ok := r.journal.known(x.ID, h, r.keep); !ok {
			unknown = append(unknown, x)
		}
	}
	if len(unknown) == 0 || over() {
		return nil
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c := &court{m: r.m, dir: dir, timeout: r.timeout, hashes: h}
	start := time.Now()
	if err := c.prepare(ctx, s.pkg, judges(s.pkg, r.tests)); err != nil {
		return err
	}
	bundled, tasks := map[int]mutant{}, []*task{}
	for i, x := range unknown {
		if c.misses(x) {
			if err := r.tell(x, outcome{ID: x.ID, Status: notReached, Code: h.code, Tests: h.tests}); err != nil {
				return err
			}
			continue
		}
		t := &task{mutant: x}
		if x.in != nil {
			t.in = i + 1
			bundled[t.in] = x
		}
		tasks = append(tasks, t)
	}
	refused, err := c.bundle(ctx, s.pkg, bundled, s.files, s.clause)
	if err != nil {
		return err
	}
	for _, i := range refused {
		x := unknown[i-1]
		if err := r.tell(x, outcome{ID: x.ID, Status: notCompiled, Code: h.code, Tests: h.tests}); err != nil {
			return err
		}
	}
	for _, j := range c.judges {
		fmt.Fprintf(r.progress, "%s is judged by %s: quickly within %.0f s, slowly by %v, alone by %v\n", s.pkg, j.pkg,
			j.quick.limit.Seconds(), j.slow.tests, j.alone)
	}
	fmt.Fprintf(r.progress, "%s is ready after %.0f s\n", s.pkg, time.Since(start).Seconds())
	return r.work(ctx, c, s, tasks, bundled, over)
}

// work judges tasks: first all with quick tests, then what is left with the others.
func (r *runner) work(ctx context.Context, c *court, s source, tasks []*task, bundled map[int]mutant, over func() bool) error {
	quick, rest := []*task{}, []*task{}
	for _, t := range tasks {
		switch _, compiles := bundled[t.in]; {
		case t.in == 0:
			rest = append(rest, t)
		case compiles:
			quick = append(quick, t)
		}
	}
	err := r.each(ctx, quick, over, func(ctx context.Context, t *task, _ int) error {
		err := c.tryQuick(ctx, t)
		if err == nil && t.by == (failure{}) {
			r.mu.Lock()
			defer r.mu.Unlock()
			rest = append(rest, t)
			_, err = fmt.Fprintf(r.progress, "%s %s %s lives so far\n", t.place(), t.Operator, t.change())
			return err
		}
		return r.end(c, t, err)
	})
	if err != nil || len(rest) == 0 || r.quick || over() {
		return err
	}
	if err := c.prepareSlow(ctx); err != nil {
		return err
	}
	return r.each(ctx, rest, over, func(ctx context.Context, t *task, worker int) error {
		program := filepath.Join(c.dir, "single"+strconv.Itoa(worker))
		return r.end(c, t, c.tryRest(ctx, t, s.files[t.File], program))
	})
}

// end tells what became of a task.
func (r *runner) end(c *court, t *task, err error) error {
	o, err := c.outcome(t, err)
	if err != nil {
		return err
	}
	return r.tell(t.mutant, o)
}

// each does something with tasks, several at a time, until the time is over. The first
// error ends it.
func (r *runner) each(ctx context.Context, tasks []*task, over func() bool, do func(context.Context, *task, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan *task)
	var wg sync.WaitGroup
	for worker := range r.jobs {
		wg.Go(func() {
			for t := range next {
				if err := do(ctx, t, worker); err != nil {
					cancel(fmt.Errorf("%s: %w", t.ID, err))
				}
			}
		})
	}
	for _, t := range tasks {
		if over() || ctx.Err() != nil {
			break
		}
		next <- t
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

// tell keeps an outcome, and shows it.
func (r *runner) tell(x mutant, o outcome) error {
	r.mu.Lock()
	r.done++
	fmt.Fprintf(r.progress, "%d of %d %s %s %s: %s [%.1f s]\n", r.done, r.total, x.place(), x.Operator, x.change(), o, o.Seconds)
	r.mu.Unlock()
	return r.journal.add(o)
}
