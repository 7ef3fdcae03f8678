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
	pkg string
	coverage
	limit   time.Duration // of all tests on a mutant that is compiled alone
	bundled string        // the program with the bundle
	quick   part
	slow    part // the tests that take long; they judge what the quick ones let live
	// alone is the tests that do not pass with the bundle though it is no mutant, such as
	// those that count allocations. They judge mutants that are compiled alone.
	alone []string
}

// part is some of the tests of a judge, with the bundle.
type part struct {
	args  []string // nil if there are none
	limit time.Duration
	tests []string // of the slow ones
}

// slowTest is how long a test takes at least that is called slow.
const slowTest = 100 * time.Millisecond

// court is what is needed to judge the mutants of one package.
type court struct {
	m       module
	dir     string // of its files
	timeout time.Duration
	judges  []judge
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
	for i, p := range packages {
		covered, profile := filepath.Join(c.dir, fmt.Sprint("cover", i)), filepath.Join(c.dir, fmt.Sprint("profile", i))
		if err := c.m.buildTest(ctx, overlay{}, p, covered, "-cover", "-coverpkg", path.Join(c.m.path, pkg)); err != nil {
			return err
		}
		if !exists(covered) {
			continue // it has no tests
		}
		took, out, err := c.mustPass(ctx, run{pkg: p, program: covered, args: []string{"-test.v", "-test.coverprofile=" + profile}})
		if err != nil {
			return err
		}
		reached, err := readCoverage(c.m, profile)
		if err != nil {
			return err
		}
		c.judges = append(c.judges, judge{
			pkg: p, coverage: reached, limit: c.limit(took), bundled: filepath.Join(c.dir, fmt.Sprint("bundle", i)), slow: part{tests: slowTests(out)},
		})
	}
	if len(c.judges) == 0 {
		return fmt.Errorf("%s: there are no tests to judge its mutants: name packages with -tests", pkg)
	}
	return nil
}

// misses reports whether no judge's tests run through a mutant.
func (c *court) misses(x mutant) bool {
	for _, j := range c.judges {
		if !j.misses(x) {
			return false
		}
	}
	return true
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
		without := func() []string {
			return append([]string{"-test.failfast"}, skip(slices.Concat(j.slow.tests, j.alone))...)
		}
		if err := c.tryBundle(ctx, j, &j.quick, without); err != nil {
			return nil, fmt.Errorf("the bundle of %s: %w", pkg, err)
		}
	}
	return refused, nil
}

// prepareSlow finds out which slow tests pass with the bundle.
func (c *court) prepareSlow(ctx context.Context) error {
	for i := range c.judges {
		j := &c.judges[i]
		these := func() []string {
			left := slices.DeleteFunc(slices.Clone(j.slow.tests), func(t string) bool { return slices.Contains(j.alone, t) })
			if len(left) == 0 {
				return nil
			}
			return []string{"-test.failfast", "-test.run=" + anyOf(left)}
		}
		if err := c.tryBundle(ctx, j, &j.slow, these); err != nil {
			return fmt.Errorf("the bundle: %w", err)
		}
	}
	return nil
}

// tryBundle runs a part of a judge's tests with the bundle and no mutant. Tests that do
// not pass are to judge alone, and the others must pass.
func (c *court) tryBundle(ctx context.Context, j *judge, p *part, args func() []string) error {
	for {
		if p.args = args(); p.args == nil {
			return nil
		}
		r := run{pkg: j.pkg, program: j.bundled, bundle: true, args: p.args}
		took, out, err := c.mustPass(ctx, r)
		if err == nil {
			p.limit = c.limit(took)
			return nil
		}
		failed := failedTests(out)
		if len(failed) == 0 || slices.Contains(j.alone, failed[0]) {
			return err
		}
		j.alone = append(j.alone, failed...)
	}
}

// skip leaves out tests.
func skip(tests []string) []string {
	if len(tests) == 0 {
		return nil
	}
	return []string{"-test.skip=" + anyOf(tests)}
}

// anyOf is a regular expression for tests.
func anyOf(tests []string) string { return "^(" + strings.Join(tests, "|") + ")$" }
