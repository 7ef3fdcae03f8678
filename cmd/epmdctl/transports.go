package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// transport is one way to a node.
type transport struct {
	Name string `json:"name"`
	Port uint16 `json:"port"`
}

// flagTransports asks for the multi-transport extension. Nothing else does: there are EPMDs
// that die of a request that they do not know, with all registrations.
const flagTransports = "transports"

func transportsFlag() cli.Flag {
	return &cli.BoolFlag{
		Name:  flagTransports,
		Usage: "ask for transports by name, too, by a request that goepmd's EPMD knows; OTP's refuses it, and another maker's may end on it",
	}
}

// transports are those of all nodes. A daemon without the multi-transport extension, such
// as OTP's, tells none.
func transports(ctx context.Context, c *epmd.Client) (map[string][]transport, error) {
	list, err := c.Names3(ctx)
	if err != nil {
		return nil, err
	}
	of := make(map[string][]transport)
	for _, n := range list.Nodes {
		for _, t := range n.Transports {
			if t.Name != "" { // what ALIVE2_REQ registered has none
				of[n.Name] = append(of[n.Name], transport(t))
			}
		}
	}
	return of, nil
}

// transports is by what the node is reached, for people.
func (d details) transports() string {
	var all []string
	for _, t := range d.Transports {
		all = append(all, fmt.Sprintf("%s:%d", show(t.Name), t.Port))
	}
	switch {
	case all != nil:
		return strings.Join(all, " ")
	case d.Protocol == wire.ProtocolTCP:
		return "tcp"
	}
	return fmt.Sprintf("protocol %d", d.Protocol)
}
