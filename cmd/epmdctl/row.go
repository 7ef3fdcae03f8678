package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// row is a node, as it is shown.
type row struct {
	Name string `json:"name"`
	Port uint16 `json:"port"`
	// What a lookup tells besides; nil in a plain list.
	*details
}

type details struct {
	Type     uint8  `json:"type"`
	Protocol uint8  `json:"protocol"`
	Highest  uint16 `json:"highest"`
	Lowest   uint16 `json:"lowest"`
	// Extra is in hexadecimal.
	Extra string `json:"extra"`
	// Transports are asked for by -transports, and told by a daemon with that extension.
	Transports []transport `json:"transports,omitempty"`
}

// shortTitle and longTitle are the columns of a list.
var (
	shortTitle = []string{"NAME", "PORT"}
	longTitle  = []string{"NAME", "PORT", "TRANSPORTS", "TYPE", "VERSIONS", "EXTRA"}
)

func (r row) columns() []string {
	out := []string{show(r.Name), strconv.Itoa(int(r.Port))}
	if r.details != nil {
		out = append(out, r.transports(), r.kind(), r.versions(), r.Extra)
	}
	return out
}

func (d details) kind() string { return wire.NodeTypeName(d.Type) }

func (d details) versions() string { return fmt.Sprintf("%d-%d", d.Lowest, d.Highest) }

func ofNode(n wire.Node) row {
	return row{n.Name, n.Port, &details{
		Type: n.Type, Protocol: n.Protocol, Highest: n.Highest, Lowest: n.Lowest,
		Extra: hex.EncodeToString([]byte(n.Extra)),
	}}
}

// look says what is asked of each node.
type look struct {
	long       bool // what a lookup tells
	transports bool // what the multi-transport extension tells besides
}

func lookOf(c *cli.Command) look {
	transports := c.Bool(flagTransports)
	return look{long: c.Bool("long") || transports, transports: transports}
}

// list asks for all nodes, and one by one for what else is wanted.
func list(ctx context.Context, c *epmd.Client, how look) ([]row, error) {
	names, err := c.Names(ctx)
	if err != nil {
		return nil, err
	}
	var of map[string][]transport
	if how.transports {
		if of, err = transports(ctx, c); err != nil {
			return nil, err
		}
	}
	rows := []row{}
	for _, n := range names.Nodes {
		r := row{Name: n.Name, Port: n.Port}
		if how.long {
			node, err := c.Lookup(ctx, n.Name)
			switch {
			case errors.Is(err, epmd.ErrNotFound):
				continue // it has just gone
			case err == nil:
				r = ofNode(node)
				r.Transports = of[n.Name]
			case !errors.Is(err, wire.FaultTooLong) && !errors.Is(err, wire.FaultEmpty):
				return nil, err // such names are registered, and cannot be looked up
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}
