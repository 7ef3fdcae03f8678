package main

import (
	"context"
	"strconv"

	"github.com/urfave/cli/v3"
)

func lookupCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "lookup", Usage: "look up a node", ArgsUsage: "NAME[@HOST]",
		Description: "Asks as nodes do: for the name before the @, on the host behind it.\n\n" +
			"   epmdctl lookup rabbit\n" +
			"   epmdctl lookup rabbit@db1.example.com\n" +
			"   epmdctl lookup -o json rabbit | jq .port\n\n" +
			"Exit status: 0 if it is registered, 1 if not, 2 if EPMD could not be asked.",
		ShellComplete: completeNames,
		Flags:         []cli.Flag{outputFlag(), transportsFlag()},
		Action: func(ctx context.Context, c *cli.Command) error {
			name, host, err := oneName(c)
			if err != nil {
				return err
			}
			cl, err := client(c, host)
			if err != nil {
				return err
			}
			node, err := cl.Lookup(ctx, name)
			if err != nil {
				return answered(cl, err)
			}
			r := ofNode(node)
			if c.Bool(flagTransports) {
				of, err := transports(ctx, cl)
				if err != nil {
					return answered(cl, err)
				}
				r.Transports = of[name]
			}
			if asJSON(c) {
				return writeJSON(s.out, r)
			}
			rows := [][]string{
				{"name", show(r.Name)},
				{"port", strconv.Itoa(int(r.Port))},
				{"transports", r.transports()},
				{"type", r.kind()},
				{"versions", r.versions()},
			}
			if r.Extra != "" {
				rows = append(rows, []string{"extra", r.Extra})
			}
			return table(s.out, nil, rows)
		},
	}
}
