package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/internal/cmdline"
)

// program is the command line.
func program(s streams) *cli.Command {
	port, _ := usualPort() // whether it is one is said when it is needed
	return &cli.Command{
		Name:  "epmdctl",
		Usage: "ask an EPMD, and find out why Erlang nodes do not find each other",
		Description: "Talks to any EPMD, the one on this machine unless -host or NAME@HOST says otherwise.\n" +
			"If a cluster does not form:\n\n" +
			"   epmdctl doctor rabbit@db1.example.com\n\n" +
			"A HOST may have the port behind it, as in db1:4370 or [::1]:4370. A TIME is written as\n" +
			"500ms, 5s or 1h30m, or as a number of seconds.\n\n" +
			"Exit status: 0 if all is well; 1 if the answer is no, or the doctor found something;\n" +
			"2 if it could not be asked. That of ping is for monitoring: 0, 1 (warning),\n" +
			"2 (critical) or 3 (unknown).",
		Reader: s.in, Writer: s.out, ErrWriter: s.errs,
		EnableShellCompletion: true,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "host", Aliases: []string{"H"}, Usage: "the `HOST` of the EPMD, or HOST:PORT; a HOST behind an @ goes before it", DefaultText: "this machine"},
			&cmdline.Uint16{
				Name: "port", Aliases: []string{"p"}, Usage: "its `PORT`", Config: cmdline.Range{Least: 1},
				Value: port, DefaultText: "4369, or what " + envPort + " says",
			},
			&cmdline.Duration{
				Name: "timeout", Aliases: []string{"W"}, Usage: "how long to wait for one answer, a `TIME`", Value: 5 * time.Second,
				Config: cmdline.Times{AboveZero: true},
			},
		},
		Commands: []*cli.Command{
			doctorCommand(s), nodesCommand(s), lookupCommand(s), pingCommand(s), registerCommand(s), stopCommand(s), decodeCommand(s),
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if err := cmdline.None(c); err != nil {
				return err
			}
			return cli.ShowRootCommandHelp(c)
		},
	}
}

// outputFlag is in which form a command answers.
func outputFlag() cli.Flag {
	return &cmdline.Choice{
		Name: "output", Aliases: []string{"o"}, Usage: "the `FORM` of the answer, table or json", Value: "table",
		Config: cmdline.Words{"table", "json"},
	}
}

func asJSON(c *cli.Command) bool { return c.String("output") == "json" }

// errOneName says what a command wants.
var errOneName = errors.New("name one node, as NAME or NAME@HOST")

// oneName reads the one argument NAME or NAME@HOST.
func oneName(c *cli.Command) (name, host string, err error) {
	name, host, named := strings.Cut(c.Args().First(), "@")
	if c.Args().Len() != 1 || name == "" || named && host == "" || strings.Contains(host, "@") {
		return "", "", errOneName
	}
	return name, host, nil
}

// completeNames offers the registered nodes to a shell.
func completeNames(ctx context.Context, c *cli.Command) {
	if c.Args().Present() {
		return
	}
	const patience = 500 * time.Millisecond // somebody waits at the keyboard
	cl, err := client(c, "")
	if err != nil {
		return // there is nothing to offer, and nowhere to say why
	}
	cl.Timeout = min(cl.Timeout, patience)
	names, err := cl.Names(ctx)
	if err != nil {
		return // likewise
	}
	for _, n := range slices.Backward(names.Nodes) {
		if harmless(n.Name) {
			fmt.Fprintln(c.Root().Writer, n.Name)
		}
	}
}

// harmless says that a name can stand in a command line as it is. Anybody who reaches
// EPMD may have chosen it, and a shell takes some characters for orders.
func harmless(name string) bool {
	return name != "" && name[0] != '-' && !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.+", r)
	})
}
