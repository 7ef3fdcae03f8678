package main

import (
	"context"
	"errors"
	"slices"
	"time"
)

// try judges a mutant; in is its number in the bundle, 0 if it is not in there.
func (c *court) try(ctx context.Context, x mutant, in int, src []byte, program string) (outcome, error) {
	o := outcome{ID: x.ID, Code: c.code, Tests: c.tests, Status: survived}
	start := time.Now()
	var err error
	if in > 0 {
		o.By, err = c.tryBundled(ctx, in)
	}
	if err == nil && o.By == (failure{}) {
		o.By, err = c.trySingle(ctx, x, in > 0, src, program)
	}
	switch refused := (compileErrors{}); {
	case errors.As(err, &refused):
		o.Status, err = notCompiled, nil
	case o.By.How == noEnd:
		o.Status = timedOut
	case o.By != failure{}:
		o.Status = killed
	}
	o.Seconds = float64(time.Since(start).Milliseconds()) / 1000
	return o, err
}

// tryBundled runs the tests of each judge on a mutant of the bundle, the slow ones last.
func (c *court) tryBundled(ctx context.Context, in int) (failure, error) {
	for _, j := range c.judges {
		r := run{pkg: j.pkg, program: j.bundled, bundle: true, mutant: in}
		r.args, r.limit = append([]string{"-test.failfast"}, skip(slices.Concat(j.skipped, j.slow))...), j.quickly
		parts := []run{r}
		if len(j.slow) > 0 {
			r.args, r.limit = []string{"-test.failfast", "-test.run=" + these(j.slow)}, j.within
			parts = append(parts, r)
		}
		for _, part := range parts {
			f, _, err := c.m.test(ctx, part)
			if err != nil || f != (failure{}) {
				return f, err
			}
		}
	}
	return failure{}, nil
}

// trySingle compiles a mutant alone, and runs all tests on it, or those that the bundle
// left out.
func (c *court) trySingle(ctx context.Context, x mutant, leftOut bool, src []byte, program string) (failure, error) {
	var o overlay
	for _, j := range c.judges {
		args := []string{"-test.failfast"}
		if leftOut {
			if len(j.skipped) == 0 {
				continue
			}
			args = append(args, "-test.run="+these(j.skipped))
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
