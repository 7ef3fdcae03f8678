package cmdline

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/internal/version"
)

// Run runs a program with the words of its command line, of which the first is its own
// name. The error is that of its action, or says what is wrong with the words.
func Run(ctx context.Context, app *cli.Command, args []string) error {
	args, asked := completionOf(args)
	app.Version = version.Built()
	app.HideHelpCommand = true // the library's knows no commands of commands
	app.Commands = append(app.Commands, helpCommand())
	if app.EnableShellCompletion {
		app.ConfigureShellCompletionCommand = asked.configure
	}
	asked.prepare(app)
	for _, c := range app.Commands {
		c.CommandNotFound = showHelp
	}
	return app.Run(ctx, args)
}

// prepare has a command and those below it answer in our words.
func (r request) prepare(c *cli.Command) {
	c.ExitErrHandler, c.OnUsageError = noExit, usageError
	names := c.ShellComplete
	c.ShellComplete = func(ctx context.Context, c *cli.Command) { r.answer(ctx, c, names) }
	for _, sub := range c.Commands {
		r.prepare(sub)
	}
}

// noExit keeps the library from ending the program itself.
func noExit(context.Context, *cli.Command, error) {}

// helpCommand shows the help of a command, or of a command's command.
func helpCommand() *cli.Command {
	return &cli.Command{
		Name: "help", Aliases: []string{"h"}, Usage: "show the help of a command", ArgsUsage: "[COMMAND]",
		HideHelp:      true,
		ShellComplete: func(_ context.Context, c *cli.Command) { offerCommands(c.Root()) },
		Action: func(ctx context.Context, c *cli.Command) error {
			above, at := c.Root(), c.Root()
			for _, word := range c.Args().Slice() {
				if above = at; above.Command(word) == nil {
					return noCommand(above, word)
				}
				at = above.Command(word)
			}
			if at == c.Root() {
				return cli.ShowRootCommandHelp(at)
			}
			return cli.ShowCommandHelp(ctx, above, at.Name)
		},
	}
}

// showHelp is for -help behind an argument, which the library takes for a topic.
func showHelp(_ context.Context, c *cli.Command, _ string) {
	cli.HelpPrinter(c.Root().Writer, cli.CommandHelpTemplate, c)
}

// None refuses arguments. Where a command was expected it says which was meant.
func None(c *cli.Command) error {
	word := c.Args().First()
	switch {
	case !c.Args().Present():
		return nil
	case len(c.VisibleCommands()) > 0:
		return noCommand(c, word)
	}
	return fmt.Errorf("%s takes no argument, and was given %q; see %s -help", c.FullName(), word, c.FullName())
}

func noCommand(c *cli.Command, word string) error {
	var names []string
	for _, sub := range c.Commands {
		if !sub.Hidden {
			names = append(names, sub.Names()...)
		}
	}
	return fmt.Errorf("there is no command %q%s; %s -help lists them", word, meant(word, "", names), c.FullName())
}
