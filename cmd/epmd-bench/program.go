package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/bench"
	"github.com/goepmd/goepmd/internal/cmdline"
)

// program is the command line; args are what it is called with, once more.
func program(args []string, out, errs io.Writer) *cli.Command {
	return &cli.Command{
		Name:  "epmd-bench",
		Usage: "put two EPMD programs under the same load, and compare what they cost",
		Description: "Starts both programs, with the flags of OTP's epmd, on loopback: anew for each\n" +
			"mode, number of nodes and pair. A program may have a name in front, as in\n" +
			"\"otp=/usr/bin/epmd\"; @epoll and @portable are the engines of this library, served by\n" +
			"this program itself. A gain above 1 means that A is better.",
		Writer: out, ErrWriter: errs,
		Commands: []*cli.Command{{
			Name: "show", Usage: "show once more what -json wrote", ArgsUsage: "FILE",
			Flags: showFlags(), Action: again,
		}, serveCommand()},
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "a", Local: true, Usage: "the one `PROGRAM`, as PATH or NAME=PATH"},
			&cli.StringFlag{Name: "b", Local: true, Usage: "the other `PROGRAM`"},
			&cli.StringFlag{Name: "mode", Local: true, Usage: "some `OF` " + modeNames(), Value: modeNames(), DefaultText: "all"},
			&cli.StringFlag{Name: "nodes", Local: true, Usage: "how `MANY` nodes are registered", Value: "10,100,900,10000"},
			&cmdline.Int{Name: "pairs", Local: true, Usage: "how `OFTEN` both are measured", Value: 7},
			&cmdline.Duration{Name: "seconds", Local: true, Usage: "how `LONG` each is measured, in seconds or as in 500ms", Value: time.Second, Config: cmdline.Times{AboveZero: true}},
			&cmdline.Int{Name: "clients", Local: true, Usage: "how `MANY` clients ask at a time", Value: 16},
			&cli.BoolFlag{Name: "here", Local: true, Usage: "stay in the network of the machine"},
		}, showFlags()...),
		Action: func(ctx context.Context, c *cli.Command) error { return measure(ctx, c, args[1:]) },
	}
}

func showFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "json", Local: true, Usage: "write all that was measured as JSON to standard output"},
		&cli.BoolFlag{Name: "markdown", Local: true, Usage: "write the tables as Markdown"},
		&cli.StringFlag{Name: "svg", Local: true, Usage: "write a plot to a `FILE`"},
	}
}

func modeNames() string {
	var all []string
	for _, m := range bench.Modes {
		all = append(all, string(m))
	}
	return strings.Join(all, ",")
}

// plan reads the command line.
func plan(c *cli.Command) (bench.Plan, error) {
	p := bench.Plan{Pairs: c.Int("pairs"), Clients: c.Int("clients"), Time: c.Duration("seconds")}
	if err := cmdline.None(c); err != nil {
		return p, err
	}
	if c.String("a") == "" || c.String("b") == "" {
		return p, errors.New("name two programs: -a PROGRAM -b PROGRAM")
	}
	if c.Bool("json") && c.Bool("markdown") {
		return p, errors.New("-json and -markdown both write to standard output: give one")
	}
	var errs [3]error
	p.A, errs[0] = side(c.String("a"))
	p.B, errs[1] = side(c.String("b"))
	for _, m := range strings.Split(c.String("mode"), ",") {
		p.Modes = append(p.Modes, bench.Mode(m))
	}
	for _, s := range strings.Split(c.String("nodes"), ",") {
		n, err := strconv.Atoi(s)
		if err != nil {
			errs[2] = fmt.Errorf("-nodes: %q is no number", s)
		}
		p.Nodes = append(p.Nodes, n)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return p, err
	}
	return p, p.Check()
}

// measure runs the plan, in a network of its own if it can have one, and shows what
// came of it.
func measure(ctx context.Context, c *cli.Command, args []string) error {
	p, err := plan(c)
	if err != nil {
		return err
	}
	own := inOwnNetwork()
	if !own && !c.Bool("here") {
		done, err := runInOwnNetwork(ctx, c, args)
		if done {
			return err
		}
		fmt.Fprintf(c.Root().ErrWriter, "epmd-bench: in the network of the machine, since it cannot have one of its own: %v\n", err)
	}
	if own {
		if err := loopbackUp(); err != nil {
			return err
		}
	}
	line := newProgress(c.Root().ErrWriter, p)
	rep, err := bench.Run(ctx, p, bench.Hooks{Side: line.side, Pair: line.pair})
	line.end()
	if err != nil && len(rep.Cells) == 0 {
		return err
	}
	rep.Machine.OwnNetwork = own
	return errors.Join(err, show(c, rep))
}

// again shows a report that was kept.
func again(_ context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 {
		return errors.New("name one file that -json wrote")
	}
	b, err := os.ReadFile(c.Args().First())
	if err != nil {
		return err
	}
	var rep bench.Report
	if err := json.Unmarshal(b, &rep); err != nil {
		return fmt.Errorf("%s is no report that -json wrote", c.Args().First())
	}
	return show(c, rep)
}

// show writes a report in the forms that the command line asks for.
func show(c *cli.Command, rep bench.Report) error {
	out, write := c.Root().Writer, rep.Text
	switch {
	case c.Bool("json"):
		write = rep.JSON
	case c.Bool("markdown"):
		write = rep.Markdown
	}
	err := write(out)
	if path := c.String("svg"); path != "" {
		f, failed := os.Create(path)
		if failed != nil {
			return errors.Join(err, failed)
		}
		err = errors.Join(err, rep.SVG(f), f.Close())
	}
	return err
}
