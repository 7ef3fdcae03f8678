package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// envPort is the variable by which nodes are told EPMD's port.
const envPort = "ERL_EPMD_PORT"

// noExit keeps the library from ending the program itself.
func noExit(context.Context, *cli.Command, error) {}

// program is the command line.
func program(s streams) *cli.Command {
	app := &cli.Command{
		Name:  "epmdctl",
		Usage: "ask an EPMD, and find out why Erlang nodes do not find each other",
		Description: "Talks to any EPMD, the one on this machine unless -host or NAME@HOST says otherwise.\n" +
			"If a cluster does not form:\n\n" +
			"   epmdctl doctor rabbit@db1.example.com\n\n" +
			"Exit status: 0 if all is well; 1 if the answer is no, or the doctor found something;\n" +
			"2 if it could not be asked. That of ping is for monitoring: 0, 1 (warning),\n" +
			"2 (critical) or 3 (unknown).",
		Reader: s.in, Writer: s.out, ErrWriter: s.errs,
		EnableShellCompletion: true,
		ConfigureShellCompletionCommand: func(c *cli.Command) {
			c.Hidden, c.Usage = false, "write a completion script for bash, zsh, fish or pwsh"
			c.Description = "   source <(epmdctl completion bash)      # in ~/.bashrc\n" +
				"   source <(epmdctl completion zsh)       # in ~/.zshrc\n" +
				"   epmdctl completion fish > ~/.config/fish/completions/epmdctl.fish\n\n" +
				"It completes the names of registered nodes, too."
		},
		Suggest: true,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "host", Aliases: []string{"H"}, Usage: "the `HOST` of the EPMD; a HOST behind an @ goes before it (default: this machine)"},
			&cli.Uint16Flag{Name: "port", Aliases: []string{"p"}, Usage: "its `PORT`", Value: wire.DefaultPort, Sources: cli.EnvVars(envPort)},
			&cli.DurationFlag{Name: "timeout", Aliases: []string{"W"}, Usage: "how `LONG` to wait for one answer, as in 500ms or 5s", Value: 5 * time.Second},
		},
		Commands: []*cli.Command{
			doctorCommand(s), nodesCommand(s), lookupCommand(s), pingCommand(s), registerCommand(s), stopCommand(s), decodeCommand(s),
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return fmt.Errorf("there is no command %q; epmdctl help lists them", c.Args().First())
			}
			return cli.ShowRootCommandHelp(c)
		},
	}
	for _, c := range append(app.Commands, app) {
		c.ExitErrHandler, c.OnUsageError = noExit, usageError
	}
	return app
}

// usageError is for a command line that the library cannot read.
func usageError(_ context.Context, c *cli.Command, err error, _ bool) error {
	return fmt.Errorf("%w; see %s -help", err, c.FullName())
}

// outputFlag is in which form a command answers.
func outputFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "output", Aliases: []string{"o"}, Usage: "`FORM` of the answer, table or json", Value: "table",
		Validator: func(form string) error {
			if form != "table" && form != "json" {
				return fmt.Errorf("-output is table or json, not %q", form)
			}
			return nil
		},
	}
}

func asJSON(c *cli.Command) bool { return c.String("output") == "json" }

// client is one of the EPMD on a host, empty for the one that the flags name.
func client(c *cli.Command, host string) *epmd.Client {
	if host == "" {
		host = c.String("host")
	}
	return &epmd.Client{
		Addr:    net.JoinHostPort(host, strconv.Itoa(int(c.Uint16("port")))),
		Timeout: c.Duration("timeout"),
	}
}

// where is the EPMD of a client, for people.
func where(c *epmd.Client) string {
	if port, here := strings.CutPrefix(c.Addr, ":"); here {
		return "this machine, port " + port
	}
	return c.Addr
}

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

// none refuses arguments.
func none(c *cli.Command) error {
	if c.Args().Present() {
		return fmt.Errorf("nothing is known of %q", c.Args().First())
	}
	return nil
}

// answered gives an error its exit status: whether EPMD said no, or could not be asked.
func answered(err error) error {
	if err == nil {
		return nil
	}
	var refusal registry.Refusal
	for _, no := range []error{epmd.ErrNotFound, epmd.ErrRefused, epmd.ErrNotAllowed, epmd.ErrNoAnswer} {
		if errors.Is(err, no) {
			return status{answeredNo, err}
		}
	}
	if errors.As(err, &refusal) {
		return status{answeredNo, err}
	}
	return status{cannotAsk, fmt.Errorf("%w (epmdctl doctor finds out why)", err)}
}

// completeNames offers the registered nodes to a shell.
func completeNames(ctx context.Context, c *cli.Command) {
	if c.Args().Present() {
		return
	}
	const patience = 500 * time.Millisecond // somebody waits at the keyboard
	cl := client(c, "")
	cl.Timeout = min(cl.Timeout, patience)
	names, err := cl.Names(ctx)
	if err != nil {
		return // there is nothing to offer, and nowhere to say why
	}
	for _, n := range slices.Backward(names.Nodes) {
		if printable(n.Name) {
			fmt.Fprintln(c.Root().Writer, n.Name)
		}
	}
}
