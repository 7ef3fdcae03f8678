package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/internal/cmdline"
)

func nodesCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "nodes", Aliases: []string{"names"}, Usage: "list the registered nodes",
		Description: "The most recently registered node comes first.\n\n" +
			"   epmdctl nodes\n" +
			"   epmdctl -host db1.example.com nodes -long\n" +
			"   epmdctl nodes -watch                    # until interrupted\n" +
			"   epmdctl nodes -o json | jq -r '.[].name'\n\n" +
			"With -watch a terminal shows the list as it is now; else there is a line for each\n" +
			"change, \"+\" for a node that has come, \"-\" for one that has gone, \"!\" for an EPMD that\n" +
			"does not answer: with -o json an object for each.",
		Flags: []cli.Flag{
			outputFlag(),
			&cli.BoolFlag{Name: "long", Aliases: []string{"l"}, Usage: "look up each node: transport, type, versions, extra field"},
			transportsFlag(),
			&cli.BoolFlag{Name: "watch", Aliases: []string{"w"}, Usage: "go on, and show what changes"},
			&cmdline.Duration{
				Name: "interval", Aliases: []string{"i"}, Usage: "the `TIME` from one look to the next", Value: time.Second,
				Config: cmdline.Times{AboveZero: true},
			},
		},
		Action: func(ctx context.Context, c *cli.Command) error { return nodes(ctx, c, s) },
	}
}

func nodes(ctx context.Context, c *cli.Command, s streams) error {
	if err := cmdline.None(c); err != nil {
		return err
	}
	cl, err := client(c, "")
	if err != nil {
		return err
	}
	if c.Bool("watch") {
		return watch(ctx, c, cl, s)
	}
	how := lookOf(c)
	rows, err := list(ctx, cl, how)
	if err != nil {
		return answered(cl, err)
	}
	if asJSON(c) {
		return writeJSON(s.out, rows)
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(s.errs, "no node is registered")
		return err
	}
	return table(s.out, title(how.long), columns(rows))
}

func title(long bool) []string {
	if long {
		return longTitle
	}
	return shortTitle
}

func columns(rows []row) (out [][]string) {
	for _, r := range rows {
		out = append(out, r.columns())
	}
	return out
}
