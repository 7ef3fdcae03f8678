package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/cmdline"
	"github.com/goepmd/goepmd/wire"
)

func registerCommand(s streams) *cli.Command {
	return &cli.Command{
		Name: "register", Usage: "hold a name, for tests", ArgsUsage: "NAME",
		Description: "Registers a name and holds it until interrupted, as a node does; nobody listens on\n" +
			"the port for it. When the registration is lost it ends, unless -again is given.\n\n" +
			"   epmdctl register -node-port 9001 ghost\n" +
			"   epmdctl register -for 10s -type 72 ghost\n\n" +
			"Exit status: 0 if it was held to the end, 1 if it was refused or lost, 2 if EPMD could\n" +
			"not be asked.",
		Flags: []cli.Flag{
			outputFlag(),
			&cmdline.Uint16{Name: "node-port", Usage: "the `PORT` to tell"},
			&cmdline.Uint8{Name: "type", Usage: "the `NUMBER` of the node type: 77 a node, 72 a hidden one, 104 a C node, 110 a Java node", Value: wire.NodeTypeNormal},
			&cmdline.Uint16{Name: "highest", Usage: "the highest `VERSION` of the distribution protocol", Value: 6},
			&cmdline.Uint16{Name: "lowest", Usage: "the lowest `VERSION`", Value: 5},
			&cli.StringFlag{Name: "extra", Usage: "the extra field, as `TEXT`"},
			&cmdline.Duration{Name: "for", Usage: "the `TIME` to hold it", DefaultText: "until interrupted"},
			&cli.BoolFlag{Name: "again", Usage: "register again when the registration is lost"},
		},
		Action: func(ctx context.Context, c *cli.Command) error { return register(ctx, c, s) },
	}
}

func register(ctx context.Context, c *cli.Command, s streams) error {
	name, host, err := oneName(c)
	if err != nil {
		return err
	}
	cl, err := client(c, host)
	if err != nil {
		return err
	}
	cl.Reregister = c.Bool("again")
	n := wire.Node{
		Name: name, Port: c.Uint16("node-port"), Type: c.Uint8("type"),
		Highest: c.Uint16("highest"), Lowest: c.Uint16("lowest"), Extra: c.String("extra"),
	}
	r, err := cl.Register(ctx, n)
	if errors.Is(err, epmd.ErrNoAnswer) {
		err = fmt.Errorf("%w: it takes registrations only from its own machine", err)
	}
	if err != nil {
		return answered(cl, err)
	}
	defer func() { _ = r.Close() }() // is always nil

	// The time counts from when it is said that the name is held.
	var end <-chan time.Time
	for {
		select {
		case ch, open := <-r.Changes():
			switch {
			case !open:
				return answered(cl, r.Err())
			case ch.Held:
				if err := s.tellHeld(n, ch, asJSON(c)); err != nil {
					return err
				}
				if d := c.Duration("for"); d > 0 && end == nil {
					end = time.After(d)
				}
			case cl.Reregister:
				ch.Err = inWords(cl, ch.Err)
				if err := s.tellHeld(n, ch, asJSON(c)); err != nil {
					return err
				}
			}
		case <-end:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// held is what became of a name, as JSON.
type held struct {
	At time.Time `json:"at"`
	// Event is "registered", "lost" or "unregistered".
	Event    string  `json:"event"`
	Name     string  `json:"name"`
	Port     *uint16 `json:"port,omitempty"`
	Creation *uint32 `json:"creation,omitempty"`
	Error    string  `json:"error,omitempty"`
}

// tellHeld writes what became of a registration, on a line.
func (s streams) tellHeld(n wire.Node, ch epmd.Change, asJSON bool) error {
	var err error
	switch {
	case asJSON && ch.Held:
		err = s.writeLine(held{At: time.Now(), Event: "registered", Name: n.Name, Port: &n.Port, Creation: &ch.Creation})
	case asJSON:
		err = s.writeLine(held{At: time.Now(), Event: "lost", Name: n.Name, Error: oneLine(ch.Err)})
	case ch.Held:
		_, err = fmt.Fprintf(s.out, "%s is registered at port %d, creation %d\n", show(n.Name), n.Port, ch.Creation)
	default:
		_, err = fmt.Fprintln(s.errs, "epmdctl:", oneLine(ch.Err))
	}
	return err
}
