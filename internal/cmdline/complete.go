package cmdline

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

// completeFlag, the last word of a command line, asks what may stand in the place of the
// word before it. The scripts of the shells do so, and the library knows it.
const completeFlag = "--generate-shell-completion"

// files is the answer that leaves it to the shell to offer files.
const files = "<files>"

var (
	//go:embed shells/bash
	bash string
	//go:embed shells/zsh
	zsh string
	//go:embed shells/fish
	fish string
)

// scripts are by shell; NAME stands for that of the program.
var scripts = map[string]string{"bash": bash, "zsh": zsh, "fish": fish}

// request is what a shell asks for.
type request struct {
	word   string // what is typed of the word so far
	before string // the word before it
}

// completionOf takes the word that is being typed out of a command line that asks for its
// completion, so that the library does not take it for one that is complete.
func completionOf(args []string) ([]string, request) {
	n := len(args)
	if n < 3 || args[n-1] != completeFlag {
		return args, request{}
	}
	r := request{word: args[n-2]}
	if n > 3 {
		r.before = args[n-3]
	}
	return append(slices.Clone(args[:n-2]), completeFlag), r
}

// answer offers a line for each word that may follow, with what it means behind a tab:
// values of a flag, flags behind a dash, commands, or what the command itself offers.
func (r request) answer(ctx context.Context, c *cli.Command, own cli.ShellCompleteFunc) {
	switch f := r.valueOf(c); {
	case f != nil:
		offerValues(c.Root().Writer, f)
	case strings.HasPrefix(r.word, "-"):
		r.offerFlags(c)
	case own != nil:
		own(ctx, c)
	case !c.Args().Present():
		offerCommands(c)
	}
}

// valueOf is the flag of which a value is being typed, or nil.
func (r request) valueOf(c *cli.Command) cli.Flag {
	name := strings.TrimLeft(r.before, "-")
	if name == r.before {
		return nil
	}
	for _, f := range flagsOf(c) {
		if d, ok := f.(cli.DocGenerationFlag); ok && d.TakesValue() && slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func offerValues(w io.Writer, f cli.Flag) {
	switch f := f.(type) {
	case *Choice:
		for _, word := range f.Config {
			fmt.Fprintln(w, word)
		}
	case *cli.StringFlag:
		if f.TakesFile {
			fmt.Fprintln(w, files)
		}
	}
}

// offerFlags offers the long names, with one dash or two, as somebody has begun.
func (r request) offerFlags(c *cli.Command) {
	dash := "-"
	if strings.HasPrefix(r.word, "--") {
		dash = "--"
	}
	for _, f := range flagsOf(c) {
		if d, ok := f.(cli.DocGenerationFlag); ok {
			fmt.Fprintf(c.Root().Writer, "%s%s\t%s\n", dash, f.Names()[0], strings.ReplaceAll(d.GetUsage(), "`", ""))
		}
	}
}

func offerCommands(c *cli.Command) {
	for _, sub := range c.Commands {
		if !sub.Hidden {
			fmt.Fprintf(c.Root().Writer, "%s\t%s\n", sub.Name, sub.Usage)
		}
	}
}

// configure makes the library's command for completion write our scripts, which need no
// more than the shell itself.
func (r request) configure(c *cli.Command) {
	name := c.Root().Name
	c.Hidden, c.Usage, c.ArgsUsage = false, "write a completion script for bash, zsh or fish", "SHELL"
	c.Description = "   source <(" + name + " completion bash)      # in ~/.bashrc\n" +
		"   source <(" + name + " completion zsh)       # in ~/.zshrc\n" +
		"   " + name + " completion fish > ~/.config/fish/completions/" + name + ".fish\n\n" +
		"It completes commands, flags and names."
	c.Commands = nil
	c.Action = func(_ context.Context, c *cli.Command) error {
		script, known := scripts[c.Args().First()]
		if c.Args().Len() != 1 || !known {
			return errors.New("name one shell: bash, zsh or fish")
		}
		_, err := io.WriteString(c.Root().Writer, strings.ReplaceAll(script, "NAME", name))
		return err
	}
	c.ShellComplete = func(_ context.Context, c *cli.Command) {
		if !c.Args().Present() {
			fmt.Fprintln(c.Root().Writer, "bash\nzsh\nfish")
		}
	}
	r.prepare(c)
}
