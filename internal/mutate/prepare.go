package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// seenBy is the packages above one whose tests see what it does.
var seenBy = map[string][]string{
	"wire":     {"registry", "epmd/session"},
	"registry": {"registry/state", "epmd/session"},
}

// judges is the packages whose tests judge a package's mutants, its own first.
func judges(pkg string, asked []string) []string {
	if asked == nil {
		return append([]string{pkg}, seenBy[pkg]...)
	}
	order := slices.Clone(asked)
	slices.SortStableFunc(order, func(a, b string) int {
		switch pkg {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	return slices.Compact(order)
}

// judge is the tests of one package, ready to run.
type judge struct {
	pkg     string
	limit   time.Duration // of the tests on a single mutant
	bundled string        // the program with the bundle
	within  time.Duration // the limit of that
	// skipped is the tests that do not pass with the bundle though it is no mutant, such
	// as those that count allocations. They judge mutants one by one.
	skipped []string
	// slow is the tests that take long. They judge what the others let live, which have
	// only so much time.
	slow    []string
	quickly time.Duration
}

// slowTest is how long a test takes at least that is called slow.
const slowTest = 100 * time.Millisecond

// court is what is needed to judge the mutants of one package.
type court struct {
	m        module
	dir      string // of its files
	timeout  time.Duration
	judges   []judge
	coverage coverage
	hashes
}

// limit is what tests may take that took some time without a mutant.
func (c *court) limit(took time.Duration) time.Duration {
	if c.timeout > 0 {
		return c.timeout
	}
	return max(8*took, 8*time.Second)
}

// prepare runs the tests as they are. Each must pass.
func (c *court) prepare(ctx context.Context, pkg string, packages []string) error {
	c.coverage = coverage{}
	for i, p := range packages {
		covered, profile := filepath.Join(c.dir, fmt.Sprint("cover", i)), filepath.Join(c.dir, fmt.Sprint("profile", i))
		if err := c.m.buildTest(ctx, overlay{}, p, covered, "-cover", "-coverpkg", path.Join(c.m.path, pkg)); err != nil {
			return err
		}
		if !exists(covered) {
			continue // it has no tests
		}
		took, _, err := c.mustPass(ctx, run{pkg: p, program: covered, args: []string{"-test.coverprofile=" + profile}})
		if err != nil {
			return err
		}
		if err := c.coverage.add(c.m, profile); err != nil {
			return err
		}
		c.judges = append(c.judges, judge{
			pkg: p, limit: c.limit(took), bundled: filepath.Join(c.dir, fmt.Sprint("bundle", i)),
		})
	}
	if len(c.judges) == 0 {
		return fmt.Errorf("%s: there are no tests to judge its mutants: name packages with -tests", pkg)
	}
	return nil
}

// ample is what tests may take without a mutant.
const ample = 10 * time.Minute

// mustPass runs tests without a mutant, and says how long they took and what they wrote.
func (c *court) mustPass(ctx context.Context, r run) (time.Duration, string, error) {
	r.limit = ample
	start := time.Now()
	f, out, err := c.m.test(ctx, r)
	if err == nil && f != (failure{}) {
		err = fmt.Errorf("without a mutant every test must pass, but not %s: %s", f, out)
	}
	return time.Since(start), out, err
}

// bundle compiles the mutants together, by their numbers from 1, and gives the tests of
// each judge with them. Those that do not compile it takes out of mutants and returns.
func (c *court) bundle(ctx context.Context, pkg string, mutants map[int]mutant, sources map[string][]byte, packageName string) (refused []int, err error) {
	var o overlay
	for {
		if len(mutants) == 0 {
			return refused, nil
		}
		b := newBundle(mutants, sources, packageName)
		if o, err = c.m.writeOverlay(filepath.Join(c.dir, "bundle"), b.files); err != nil {
			return nil, err
		}
		err := c.m.build(ctx, o, "build", "-gcflags=-e", "-o", os.DevNull, "./"+pkg)
		var wrong compileErrors
		if err == nil {
			break
		} else if !errors.As(err, &wrong) {
			return nil, err
		}
		before := len(refused)
		for _, p := range wrong.places {
			i, ok := b.at(p.file, p.line)
			if _, there := mutants[i]; ok && there {
				refused = append(refused, i)
				delete(mutants, i)
			}
		}
		if len(refused) == before {
			return nil, fmt.Errorf("the bundle of %s: %w", pkg, err)
		}
	}
	for i := range c.judges {
		j := &c.judges[i]
		if err := c.m.buildTest(ctx, o, j.pkg, j.bundled); err != nil {
			return nil, err
		}
		if err := c.tryBundle(ctx, j); err != nil {
			return nil, fmt.Errorf("the bundle of %s: %w", pkg, err)
		}
	}
	return refused, nil
}

// tryBundle runs a judge's tests with the bundle and no mutant, and then without those
// that did not pass.
func (c *court) tryBundle(ctx context.Context, j *judge) error {
	r := run{pkg: j.pkg, program: j.bundled, bundle: true, args: []string{"-test.v"}}
	took, out, err := c.mustPass(ctx, r)
	if failed := failedTests(out); err != nil && len(failed) > 0 {
		j.skipped = failed
		r.args = append(r.args, skip(failed)...)
		took, out, err = c.mustPass(ctx, r)
	}
	if err != nil {
		return err
	}
	slow, of := slowTests(out)
	j.slow, j.within, j.quickly = slow, c.limit(took), c.limit(took-of)
	return nil
}

// skip leaves out tests.
func skip(tests []string) []string {
	if len(tests) == 0 {
		return nil
	}
	return []string{"-test.skip=" + these(tests)}
}

// these is a regular expression for tests.
func these(tests []string) string { return "^(" + strings.Join(tests, "|") + ")$" }
