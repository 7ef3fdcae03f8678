package main

import (
	"context"
	"errors"
	"time"
)

// tryBundled runs a part of the tests of each judge that reach a mutant of the bundle.
func (c *court) tryBundled(ctx context.Context, t *task, of func(judge) part) (failure, error) {
	for _, j := range c.judges {
		p := of(j)
		if p.args == nil || j.misses(t.mutant) {
			continue
		}
		f, _, err := c.m.test(ctx, run{pkg: j.pkg, program: j.bundled, bundle: true, mutant: t.in, limit: p.limit, args: p.args})
		if err != nil || f != (failure{}) {
			return f, err
		}
	}
	return failure{}, nil
}

// tryQuick runs the quick tests of each judge on a mutant of the bundle.
func (c *court) tryQuick(ctx context.Context, t *task) error {
	start := time.Now()
	f, err := c.tryBundled(ctx, t, func(j judge) part { return j.quick })
	t.by, t.took = f, time.Since(start)
	return err
}

// tryRest runs what the quick tests have not: on a mutant of the bundle the slow tests and
// those that judge alone, on another one all.
func (c *court) tryRest(ctx context.Context, t *task, src []byte, program string) error {
	start := time.Now()
	defer func() { t.took += time.Since(start) }()
	var err error
	if t.in > 0 {
		if t.by, err = c.tryBundled(ctx, t, func(j judge) part { return j.slow }); err != nil || t.by != (failure{}) {
			return err
		}
	}
	t.by, err = c.trySingle(ctx, t.mutant, t.in > 0, src, program)
	return err
}

// outcome is what became of a task whose last try gave an error, or none.
func (c *court) outcome(t *task, err error) (outcome, error) {
	o := outcome{
		ID: t.ID, Code: c.code, Tests: c.tests, Status: survived, By: t.by,
		Seconds: float64(t.took.Milliseconds()) / 1000,
	}
	switch refused := (compileErrors{}); {
	case errors.As(err, &refused):
		o.Status, err = notCompiled, nil
	case t.by.How == noEnd:
		o.Status = timedOut
	case t.by != failure{}:
		o.Status = killed
	}
	return o, err
}

// trySingle compiles a mutant alone, and runs all tests on it, or those that the bundle
// left out.
func (c *court) trySingle(ctx context.Context, x mutant, leftOut bool, src []byte, program string) (failure, error) {
	var o overlay
	for _, j := range c.judges {
		args := []string{"-test.failfast"}
		if leftOut {
			if len(j.alone) == 0 || j.misses(x) {
				continue
			}
			args = append(args, "-test.run="+anyOf(j.alone))
		}
		if o.path == "" {
			var err error
			o, err = c.m.writeOverlay(program+".d", map[string]string{x.File: string(x.apply(src))})
			if err != nil {
				return failure{}, err
			}
		}
		if err := c.m.buildTest(ctx, o, j.pkg, program); err != nil {
			return failure{}, err
		}
		f, _, err := c.m.test(ctx, run{pkg: j.pkg, program: program, limit: j.limit, args: args})
		if err != nil || f != (failure{}) {
			return f, err
		}
	}
	return failure{}, nil
}
