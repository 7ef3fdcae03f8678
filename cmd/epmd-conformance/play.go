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
	"strings"
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
	all, err := suite(c)
	if err != nil {
		return err
	}
	deviations, err := deviations(c.String("deviations"), all)
	if err != nil {
		return err
	}
	scenarios, err := selected(c, all)
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
	without, err := without(c)
	if err != nil {
		return err
	}
	rep := conformance.Report{Began: time.Now(), Scenarios: scenarios}
	for _, a := range aims {
		r := conformance.Runner{
			Parallel: c.Int("parallel"), Settle: c.Duration("settle"), Deviations: deviations,
			Without: without, Look: !c.Bool("all"),
		}
		if r.Settle == 0 {
			r.Settle = -1
		}
		if a.otp > 0 {
			r.Deviations = nil
		}
		bound, done := within(ctx, c.Duration("for"))
		shown := follow(c.Root().ErrWriter, a.Name(), len(scenarios), &r)
		col, err := r.Run(bound, a, a.otp, scenarios)
		shown()
		done()
		if err != nil {
			return err
		}
		rep.Columns = append(rep.Columns, col)
	}
	rep.Took = time.Since(rep.Began)
	return show(c, rep)
}

// within is a context that ends after some time, unless that is 0.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, d, fmt.Errorf("the time was over, %v; -for gives more", d))
}

// without are the features that the target is said not to have.
func without(c *cli.Command) ([]conformance.Feature, error) {
	var all []conformance.Feature
	for _, name := range c.StringSlice("without") {
		f := conformance.Feature(name)
		if !slices.Contains(conformance.Features, f) {
			return nil, fmt.Errorf("-without %s: there is no such feature; there are %s", name, features())
		}
		all = append(all, f)
	}
	if !c.Bool("extension") && !slices.Contains(all, conformance.Extension) {
		all = append(all, conformance.Extension)
	}
	return all, nil
}

// features are the names of all features.
func features() string {
	names := make([]string, len(conformance.Features))
	for i, f := range conformance.Features {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// suite is the scenarios that there are.
func suite(c *cli.Command) ([]conformance.Scenario, error) {
	if folder := c.String("scenarios"); folder != "" {
		return conformance.Load(os.DirFS(folder))
	}
	return conformance.Scenarios()
}

// selected are those of all scenarios that the command line asks for.
func selected(c *cli.Command, all []conformance.Scenario) ([]conformance.Scenario, error) {
	names, err := pattern(c, "run")
	if err != nil {
		return nil, err
	}
	leave, err := pattern(c, "skip")
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
		return !names.MatchString(s.Name) || len(areas) > 0 && !slices.Contains(areas, s.Area) ||
			c.String("skip") != "" && leave.MatchString(s.Name)
	})
	if len(all) == 0 {
		return nil, conformance.ErrNothing
	}
	return all, nil
}

// pattern reads the regular expression of a flag.
func pattern(c *cli.Command, flag string) (*regexp.Regexp, error) {
	text := c.String(flag)
	re, err := regexp.Compile(text)
	var wrong *syntax.Error
	switch {
	case errors.As(err, &wrong):
		return nil, fmt.Errorf("-%s %s: it is no regular expression: %s", flag, text, wrong.Code)
	case err != nil:
		return nil, fmt.Errorf("-%s %s: it is no regular expression", flag, text)
	}
	return re, nil
}

// deviations are those of a file, if one is named, from all scenarios.
func deviations(path string, all []conformance.Scenario) (conformance.Deviations, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d, err := conformance.ReadDeviations(b, all)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
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
