package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
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
			err = stop(ctx, cl, name)
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

// errForeign is why nothing was sent.
var errForeign = errors.New("this EPMD answers otherwise than OTP's, and may end, with all registrations, on a request to stop: nothing was sent")

// stop unregisters a node, if its EPMD knows the request: some die of one that they do not
// know. A NUL behind the name in a lookup tells: OTP's drops it, and EPMDs that know the
// requests of nodes alone find no such name.
func stop(ctx context.Context, c *epmd.Client, name string) error {
	_, err := c.Lookup(ctx, name)
	switch {
	case errors.Is(err, epmd.ErrNotFound):
		return fmt.Errorf("stop %q: %w", name, epmd.ErrNotFound)
	case errors.Is(err, wire.FaultTooLong), errors.Is(err, wire.FaultUTF8):
		return c.Stop(ctx, name) // it is registered by OTP's rules alone, or not at all
	case err != nil:
		return err
	}
	packet, err := wire.AppendPacket(nil, append([]byte{byte(wire.TagPortPlease2Req)}, name+"\x00"...))
	if err != nil {
		return err
	}
	answer, err := c.Exchange(ctx, packet)
	if err != nil {
		return err
	}
	if resp, _, err := wire.ParsePort2Resp(answer); err != nil || resp.Result != 0 {
		return errForeign
	}
	return c.Stop(ctx, name)
}
