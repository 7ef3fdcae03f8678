package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

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
	// Transports are told by a daemon with the multi-transport extension only.
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

func (d details) kind() string {
	switch d.Type {
	case wire.NodeTypeNormal:
		return "node"
	case wire.NodeTypeHidden:
		return "C node"
	}
	return strconv.Itoa(int(d.Type))
}

func (d details) versions() string { return fmt.Sprintf("%d-%d", d.Lowest, d.Highest) }

func ofNode(n wire.Node) row {
	return row{n.Name, n.Port, &details{
		Type: n.Type, Protocol: n.Protocol, Highest: n.Highest, Lowest: n.Lowest,
		Extra: hex.EncodeToString([]byte(n.Extra)),
	}}
}

// list asks for all nodes, and one by one for what a lookup tells of them, if asked to.
func list(ctx context.Context, c *epmd.Client, long bool) ([]row, error) {
	names, err := c.Names(ctx)
	if err != nil {
		return nil, err
	}
	var of map[string][]transport
	if long {
		if of, err = transports(ctx, c); err != nil {
			return nil, err
		}
	}
	rows := []row{}
	for _, n := range names.Nodes {
		r := row{Name: n.Name, Port: n.Port}
		if long {
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
