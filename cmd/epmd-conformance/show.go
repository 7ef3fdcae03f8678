package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/conformance/report"
	"github.com/goepmd/goepmd/internal/cmdline"
)

// show writes a report in the forms that the command line asks for.
func show(c *cli.Command, rep conformance.Report) error {
	out := c.Root().Writer
	var err error
	if c.Bool("json") {
		err = report.JSON(out, rep)
	} else {
		err = report.Terminal(out, rep, report.Options{
			Color: isTerminal(out) && os.Getenv("NO_COLOR") == "", Verbose: c.Bool("verbose"),
		})
	}
	for flag, write := range map[string]func(io.Writer, conformance.Report) error{"junit": report.JUnit, "html": report.HTML} {
		if path := c.String(flag); path != "" {
			err = errors.Join(err, create(path, func(w io.Writer) error { return write(w, rep) }))
		}
	}
	switch {
	case err != nil || rep.Good():
		return err
	case slices.ContainsFunc(rep.Columns, conformance.Column.Bad):
		return errFailed
	}
	return errUnfinished
}

// merge makes one report of several.
func merge(_ context.Context, c *cli.Command) error {
	if !c.Args().Present() {
		return errors.New("name the files to merge")
	}
	var all []conformance.Report
	for _, path := range c.Args().Slice() {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		rep, err := report.Read(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, rep)
	}
	rep, err := report.Merge(all...)
	if err != nil {
		return err
	}
	return show(c, rep)
}

// list shows the scenarios.
func list(_ context.Context, c *cli.Command) error {
	if err := cmdline.None(c); err != nil {
		return err
	}
	all, err := suite(c)
	if err != nil {
		return err
	}
	scenarios, err := selected(c, all)
	if err != nil {
		return err
	}
	out := c.Root().Writer
	if c.Bool("json") {
		flat := make([]conformance.Flat, len(scenarios))
		for i, s := range scenarios {
			if flat[i], err = s.Flat(); err != nil {
				return err
			}
		}
		enc := json.NewEncoder(out)
		enc.SetIndent("", " ")
		return enc.Encode(flat)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range scenarios {
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.Area, s.Name, s.Rule)
		if c.Bool("steps") {
			for _, step := range s.Steps {
				fmt.Fprintf(w, "\t\t  %s\n", step)
			}
		}
	}
	return w.Flush()
}
