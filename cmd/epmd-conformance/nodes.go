package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/conformance/nodes"
	"github.com/goepmd/goepmd/internal/cmdline"
	"github.com/goepmd/goepmd/internal/otpimages"
)

// nodesCommand plays the scenarios with real nodes.
func nodesCommand() *cli.Command {
	return &cli.Command{
		Name: "nodes", Usage: "let real nodes of OTP 23, 25, 27 and 29, Elixir, RabbitMQ and others find each other by an EPMD",
		Description: "The nodes run in containers, of images that are pulled or made of Debian's packages\n" +
			"first. The EPMD is started on this machine.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "exec", Usage: "the EPMD `PROGRAM`, with the flags of OTP's", Required: true},
			&cli.StringFlag{Name: "run", Usage: "play scenarios whose name matches a `REGEXP`"},
			&cli.StringFlag{Name: "several", Usage: "play also the scenarios with several transports, by the EPMD module whose sources are in `FOLDER` (examples/multi-transport/src); PROGRAM must have -multi_transport"},
		}, reportFlags()...),
		Action: playNodes,
	}
}

func playNodes(ctx context.Context, c *cli.Command) error {
	if err := cmdline.None(c); err != nil {
		return err
	}
	want, err := pattern(c, "run")
	if err != nil {
		return err
	}
	progress := c.Root().ErrWriter
	images, err := nodeImages(ctx, progress)
	if err != nil {
		return err
	}
	path := c.String("exec")
	suite := nodes.Suite{
		Start: nodes.Program(path), Images: images, Only: want.MatchString,
		Progress: func(r conformance.Result) {
			fmt.Fprintf(progress, "%-8s %6.1f s  %s\n", r.Verdict, r.Took.Seconds(), r.Scenario)
		},
	}
	if folder := c.String("several"); folder != "" {
		suite.MultiTransport = &nodes.MultiTransport{Start: nodes.Program(path, "-multi_transport"), Module: os.DirFS(folder)}
	}
	rep := conformance.Report{Began: time.Now()}
	results, err := suite.Run(ctx)
	if err != nil {
		return err
	}
	rep.Took = time.Since(rep.Began)
	rep.Scenarios, rep.Columns = nodeReport(path, results)
	return show(c, rep)
}

// nodeImages makes sure that the images are there, and says what docker calls them.
func nodeImages(ctx context.Context, progress io.Writer) (map[string]string, error) {
	all, err := otpimages.Ensure(ctx, progress, otpimages.Names()...)
	if err != nil {
		return nil, errors.Join(err, errors.New("the nodes run in containers: see the message above"))
	}
	refs := make(map[string]string)
	for _, image := range all {
		refs[image.Name] = image.Ref
	}
	return refs, nil
}

// nodeReport is the results as a report with the scenarios that were played.
func nodeReport(target string, results []conformance.Result) ([]conformance.Scenario, []conformance.Column) {
	col := conformance.Column{Target: target, Results: results}
	known := make(map[string]conformance.Scenario)
	for _, s := range nodes.Scenarios() {
		known[s.Name] = s
	}
	var scenarios []conformance.Scenario
	for _, r := range results {
		col.Took += r.Took
		scenarios = append(scenarios, known[r.Scenario])
	}
	return scenarios, []conformance.Column{col}
}
