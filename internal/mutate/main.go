// Mutate checks the tests: it makes a list of small wrong changes to wire,
// registry and epmd/session, one at a time, and runs their tests on each. Tests
// that pass on a mutant have missed it. The tree is never touched: the go command
// takes the mutated file as an overlay.
//
//	go run ./internal/mutate [-run REGEX] [-tests PACKAGES] [-jobs N] [-timeout D] [-list] [-json]
//
// The report, Markdown or with -json an array, goes to standard output, progress
// to standard error. The status is 0 if the tests notice at least 95 % of the
// mutants, else 1; it is 1, too, if the list does not fit the code, a mutant does
// not compile, or the tests fail without one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"time"
)

// enough is the share of mutants that the tests must kill, in percent.
const enough = 95

// config is what the command line says.
type config struct {
	run        *regexp.Regexp
	tests      []string
	jobs       int
	timeout    time.Duration
	list, json bool
}

func main() {
	c, err := parseFlags(os.Args[1:], os.Stderr)
	if err != nil {
		os.Exit(2) // parseFlags has said what is wrong
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	err = mutate(ctx, c, os.Stdout, os.Stderr)
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
	fs.Func("run", "only the mutations whose id matches this `regex`", func(s string) (err error) {
		c.run, err = regexp.Compile(s)
		return err
	})
	fs.Func("tests", "the `packages` whose tests run, with commas between; the mutated one goes first "+
		"(without: those that can see the mutation)", func(s string) error {
		c.tests = strings.Split(s, ",")
		return nil
	})
	fs.IntVar(&c.jobs, "jobs", 2, "how many mutants are tested at a time, 1 or 2")
	fs.DurationVar(&c.timeout, "timeout", 2*time.Minute, "how long the tests of a package may take")
	fs.BoolVar(&c.list, "list", false, "list the mutations and do nothing")
	fs.BoolVar(&c.json, "json", false, "report in JSON")
	if err := fs.Parse(args); err != nil {
		return c, err
	}
	if c.jobs < 1 || c.jobs > 2 || c.timeout <= 0 || fs.NArg() > 0 {
		fs.Usage()
		return c, errors.New("usage")
	}
	return c, nil
}

// mutate does what the command line asks for.
func mutate(ctx context.Context, c config, out, progress io.Writer) error {
	chosen := []mutation{}
	for _, m := range all() {
		if c.run.MatchString(m.id) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no mutation matches %q", c.run)
	}
	if c.list {
		return list(out, chosen)
	}
	g, err := newGoTool(ctx, c.timeout)
	if err != nil {
		return err
	}
	outcomes, err := try(ctx, g, c, chosen, progress)
	if err != nil {
		return err
	}
	if c.json {
		err = reportJSON(out, outcomes)
	} else {
		err = report(out, outcomes)
	}
	return errors.Join(err, judge(outcomes))
}

// list writes a line for each mutation.
func list(out io.Writer, mutations []mutation) error {
	for _, m := range mutations {
		if _, err := fmt.Fprintf(out, "%-32s %-10s %-24s %s\n", m.id, m.kind, m.file, m.breaks); err != nil {
			return err
		}
	}
	return nil
}
