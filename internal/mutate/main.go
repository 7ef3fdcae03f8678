// Mutate checks the tests: it makes small wrong changes to packages, one at a time, and
// runs tests on each. Tests that pass on a mutant have missed it. The tree is never
// touched: the go command takes the mutated files as an overlay.
//
//	go run ./internal/mutate [flags] PACKAGES...
//
// The mutants of a package are compiled together. The tests of the package judge them, and
// those of the packages that stand on it, or else those that -tests names. A mutant that
// they do not notice has survived. Why no test can notice one stands in equivalent.txt.
//
// The report, Markdown or with -json, goes to standard output, a line for each mutant to
// standard error. The status is 0 if the tests notice at least 95 % of each package's
// mutants, else 1; it is 1, too, if mutants are left when the time of -for is over.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// enough is the share of mutants that the tests must notice, in percent.
const enough = 95

// config is what the command line says.
type config struct {
	packages   []string
	tests      []string
	sample     int
	seed       uint64
	run        *regexp.Regexp
	jobs       int
	timeout    time.Duration
	resume     string
	keep       bool
	quick      bool
	last       time.Duration
	reasons    string
	list, json bool
}

func main() {
	c, err := parseFlags(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // parseFlags has said what is wrong
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	err = mutate(ctx, c, ".", os.Stdout, os.Stderr)
	cancel()
	if err != nil {
		fmt.Fprintf(os.Stderr, "mutate: %v\n", err)
		os.Exit(1)
	}
}

func parseFlags(args []string, errs io.Writer) (config, error) {
	c := config{run: regexp.MustCompile("")}
	fs := flag.NewFlagSet("mutate", flag.ContinueOnError)
	fs.SetOutput(errs)
	fs.Usage = func() {
		fmt.Fprintln(errs, "usage: mutate [flags] PACKAGES...")
		fs.PrintDefaults()
	}
	fs.Func("tests", "the `packages` whose tests judge, with commas between, the mutated one first "+
		"(without: the mutated one, and those that see it)", func(s string) error {
		c.tests = strings.Split(s, ",")
		return nil
	})
	fs.IntVar(&c.sample, "sample", 0, "only so many of the mutants, chosen by the seed; 0 is all")
	fs.Uint64Var(&c.seed, "seed", 1, "the seed of the sample")
	fs.Func("run", "only mutants whose `regex` is found in `id file:line`", func(s string) (err error) {
		c.run, err = regexp.Compile(s)
		return err
	})
	fs.IntVar(&c.jobs, "jobs", 2, "how many mutants are tested at a time")
	fs.DurationVar(&c.timeout, "timeout", 0, "what the tests of a package may take "+
		"(without: eight times what they take without a mutant, and at least 8 seconds)")
	fs.StringVar(&c.resume, "resume", "", "keep outcomes in this `file`, and pass over mutants that stand in it with the same source and tests")
	fs.BoolVar(&c.keep, "keep", false, "with -resume: what was noticed stays noticed though tests have changed, as when some were added")
	fs.BoolVar(&c.quick, "quick", false, "leave the mutants that quick tests let live, and those that are compiled alone, to a later run")
	fs.DurationVar(&c.last, "for", 0, "take no further mutant after this time; 0 is no end")
	fs.StringVar(&c.reasons, "equivalent", reasonsFile, "the `file` that says why mutants are equivalent, below the module's root")
	fs.BoolVar(&c.list, "list", false, "list the mutants and do nothing")
	fs.BoolVar(&c.json, "json", false, "report in JSON")
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	c.packages = fs.Args()
	if len(c.packages) == 0 || c.jobs < 1 || c.timeout < 0 || c.sample < 0 || c.last < 0 {
		fs.Usage()
		return c, errors.New("usage")
	}
	return c, nil
}

// mutate does what the command line asks for, in the module around dir.
func mutate(ctx context.Context, c config, dir string, out, progress io.Writer) (err error) {
	m, err := newModule(ctx, dir)
	if err != nil {
		return err
	}
	if c.tests != nil {
		if c.tests, err = m.named(ctx, c.tests); err != nil {
			return err
		}
	}
	sources, err := m.sources(ctx, c.packages)
	if err != nil {
		return err
	}
	all := map[string]bool{}
	for _, s := range sources {
		for _, x := range s.mutants {
			all[x.ID] = true
		}
	}
	if choose(sources, c) == 0 {
		return fmt.Errorf("no mutant matches %q in %s", c.run, strings.Join(c.packages, " "))
	}
	if c.list {
		return list(out, sources)
	}
	reasons, err := readReasons(filepath.Join(m.root, c.reasons))
	if err != nil {
		return err
	}
	j, err := openJournal(c.resume)
	if err != nil {
		return err
	}
	r := &runner{config: c, m: m, journal: j, progress: progress}
	results, left, err := r.all(ctx, sources)
	if err = errors.Join(err, j.close()); err != nil {
		return err
	}
	rep := newReport(results, reasons, all)
	rep.Left = left
	if c.json {
		err = rep.json(out)
	} else {
		err = rep.markdown(out)
	}
	return errors.Join(err, rep.judge())
}

// named is the packages that match patterns, by their paths below the module.
func (m module) named(ctx context.Context, patterns []string) ([]string, error) {
	listed, err := m.list(ctx, patterns...)
	names := []string{}
	for _, p := range listed {
		names = append(names, m.below(p.ImportPath))
	}
	return names, err
}

// choose leaves only the mutants that -run and -sample ask for, and counts them.
func choose(sources []source, c config) int {
	n := 0
	for i := range sources {
		s := &sources[i]
		s.mutants = slices.DeleteFunc(s.mutants, func(x mutant) bool { return !c.run.MatchString(x.ID + " " + x.place()) })
		n += len(s.mutants)
	}
	if c.sample == 0 || c.sample >= n {
		return n
	}
	chosen := map[int]bool{}
	for _, i := range rand.New(rand.NewPCG(c.seed, 0)).Perm(n)[:c.sample] {
		chosen[i] = true
	}
	i := -1
	for k := range sources {
		s := &sources[k]
		s.mutants = slices.DeleteFunc(s.mutants, func(mutant) bool { i++; return !chosen[i] })
	}
	return c.sample
}

// list writes a line for each mutant.
func list(out io.Writer, sources []source) error {
	for _, s := range sources {
		for _, x := range s.mutants {
			if _, err := fmt.Fprintln(out, x.ID, x.place(), x.change()); err != nil {
				return err
			}
		}
	}
	return nil
}
