package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"regexp/syntax"
	"slices"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/internal/cmdline"
)

// play plays the suite.
func play(ctx context.Context, c *cli.Command) error {
	if err := cmdline.None(c); err != nil {
		return err
	}
	scenarios, err := selected(c)
	if err != nil {
		return err
	}
	deviations, err := deviations(c.String("deviations"))
	if err != nil {
		return err
	}
	aims, err := targets(ctx, c)
	defer func() {
		for _, a := range aims {
			if err := a.close(); err != nil {
				fmt.Fprintln(c.Root().ErrWriter, err)
			}
		}
	}()
	if err != nil {
		return err
	}
	rep := conformance.Report{Began: time.Now(), Scenarios: scenarios}
	for _, a := range aims {
		r := conformance.Runner{Parallel: c.Int("parallel"), Settle: c.Duration("settle"), Deviations: deviations}
		if r.Settle == 0 {
			r.Settle = -1
		}
		if a.otp > 0 {
			r.Deviations = nil
		}
		done := progress(c.Root().ErrWriter, a.Name(), len(scenarios), &r)
		col, err := r.Run(ctx, a, a.otp, scenarios)
		done()
		if err != nil {
			return err
		}
		rep.Columns = append(rep.Columns, col)
	}
	rep.Took = time.Since(rep.Began)
	return show(c, rep)
}

// selected are the scenarios that the command line asks for.
func selected(c *cli.Command) ([]conformance.Scenario, error) {
	load := conformance.Scenarios
	if folder := c.String("scenarios"); folder != "" {
		load = func() ([]conformance.Scenario, error) { return conformance.Load(os.DirFS(folder)) }
	}
	all, err := load()
	if err != nil {
		return nil, err
	}
	names, err := pattern(c.String("run"))
	if err != nil {
		return nil, err
	}
	areas := c.StringSlice("area")
	for _, a := range areas {
		if !slices.ContainsFunc(all, func(s conformance.Scenario) bool { return s.Area == a }) {
			return nil, fmt.Errorf("there is no area %q", a)
		}
	}
	all = slices.DeleteFunc(all, func(s conformance.Scenario) bool {
		return !names.MatchString(s.Name) || len(areas) > 0 && !slices.Contains(areas, s.Area)
	})
	if len(all) == 0 {
		return nil, conformance.ErrNothing
	}
	return all, nil
}

// pattern reads -run.
func pattern(text string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(text)
	var wrong *syntax.Error
	switch {
	case errors.As(err, &wrong):
		return nil, fmt.Errorf("-run %s: it is no regular expression: %s", text, wrong.Code)
	case err != nil:
		return nil, fmt.Errorf("-run %s: it is no regular expression", text)
	}
	return re, nil
}

// deviations reads a file of names and reasons.
func deviations(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := conformance.ReadDeviations(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// progress shows how far a target is, on one line if that is a terminal. The
// function that it gives ends the line.
func progress(w io.Writer, name string, total int, r *conformance.Runner) func() {
	begun, done, bad, shown := time.Now(), 0, 0, time.Now()
	tty := isTerminal(w)
	r.Progress = func(res conformance.Result) {
		done++
		if !res.Verdict.Good() {
			bad++
		}
		if tty && time.Since(shown) > 100*time.Millisecond {
			shown = time.Now()
			fmt.Fprintf(w, "\r%s: %d of %d, %d failed ", name, done, total, bad)
		}
	}
	return func() {
		end := "\n"
		if tty {
			end = " \n"
			fmt.Fprint(w, "\r")
		}
		fmt.Fprintf(w, "%s: %d scenarios in %.1f s, %d failed%s", name, done, time.Since(begun).Seconds(), bad, end)
	}
}

// isTerminal says whether people read it as it comes.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&fs.ModeCharDevice != 0
}

// create writes a file.
func create(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
