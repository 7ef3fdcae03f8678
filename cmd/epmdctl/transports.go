package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// transport is one way to a node.
type transport struct {
	Name string `json:"name"`
	Port uint16 `json:"port"`
}

// transports asks a NAMES3_REQ for those of all nodes. A daemon without the
// multi-transport extension, such as OTP's, closes unanswered: then there are none, and
// that is no error.
func transports(ctx context.Context, c *epmd.Client) (map[string][]transport, error) {
	req, err := wire.Names3Req{}.Append(nil)
	if err != nil {
		return nil, err
	}
	answer, err := c.Exchange(ctx, req)
	if err != nil {
		return nil, err
	}
	of := make(map[string][]transport)
	for first := true; len(answer) > 0; first = false {
		block, n, err := wire.ParseBlock(answer, first)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", epmd.ErrBadAnswer, err)
		}
		answer = answer[n:]
		for line, err := range wire.Name3Lines(block.Lines) {
			if err != nil {
				return nil, fmt.Errorf("%w: %w", epmd.ErrBadAnswer, err)
			}
			for port, name := range line.Transports.All() {
				if len(name) > 0 { // what ALIVE2_REQ registered has none
					of[string(line.Name)] = append(of[string(line.Name)], transport{string(name), port})
				}
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
