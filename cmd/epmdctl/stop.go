package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/epmd"
)

func stopCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "stop", Usage: "unregister a node by force", ArgsUsage: "NAME",
		Description: "The node itself goes on, and one of OTP 25 or later registers again after 2 seconds:\n" +
			"it is for names that something dead holds. EPMD does it only if it was started with\n" +
			"-relaxed_command_check, and for programs on its own machine.\n\n" +
			"   epmdctl stop rabbit\n\n" +
			"Exit status: 0 if it is unregistered, 1 if there is none or EPMD does not want to, 2\n" +
			"if it could not be asked.",
		ShellComplete: completeNames,
		Flags:         []cli.Flag{outputFlag()},
		Action: func(ctx context.Context, c *cli.Command) error {
			name, host, err := oneName(c)
			if err != nil {
				return err
			}
			cl, err := client(c, host)
			if err != nil {
				return err
			}
			err = cl.Stop(ctx, name)
			if errors.Is(err, epmd.ErrNoAnswer) {
				err = fmt.Errorf("%w: it takes this only with -relaxed_command_check, and from its own machine", err)
			}
			if err != nil {
				return answered(cl, err)
			}
			if asJSON(c) {
				return s.writeLine(held{At: time.Now(), Event: "unregistered", Name: name})
			}
			_, err = fmt.Fprintf(s.out, "%s is unregistered\n", show(name))
			return err
		},
	}
}
