package epmd

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/goepmd/goepmd/wire"
)

// Transports is the answer to a lookup by transports.
type Transports struct {
	// Node is the node, with the port and the name of the first of List.
	Node wire.Node
	// List is the transports that were asked for and that the node has, in the order
	// of the caller's preference. A node that registered by ALIVE2_REQ has one
	// without a name, the last: it stands for what such nodes speak, TCP most likely.
	List []wire.Transport
	// Dialect is what the daemon speaks: wire.Standard knows no transports.
	Dialect wire.Dialect
}

// LookupTransports asks for a node and where it listens for some transports, the
// best first, such as "inet_tls", "inet_tcp": at most wire.MaxTransports, of at
// most wire.MaxTransportLen bytes. With none it asks whether there is such a node.
// From a daemon that does not speak the extension it takes an ordinary Lookup. OTP's refuses
// the request; an EPMD of another maker may end, with all registrations, on one that it does
// not know, as AtomVM's does. So it is with all that asks for the extension.
//
// The error is ErrNotFound if there is no such node, or it has none of the
// transports; else as Lookup has it.
func (c *Client) LookupTransports(ctx context.Context, name string, transports ...string) (Transports, error) {
	failed := func(err error) (Transports, error) {
		return Transports{}, fmt.Errorf("epmd: look up %q for %q: %w", name, transports, err)
	}
	list, err := wire.AppendTransports(nil, transports...)
	if err != nil {
		return failed(err)
	}
	req, err := wire.PortPlease3Req{Transports: list, Name: []byte(name)}.Append(nil)
	if err != nil {
		return failed(err)
	}
	answer, err := c.ask(ctx, req)
	if err != nil {
		return failed(err)
	}
	if len(answer) == 0 {
		n, err := c.Lookup(ctx, name)
		if err != nil {
			return Transports{}, err
		}
		return Transports{Node: n, List: []wire.Transport{{Port: n.Port}}}, nil
	}
	resp, _, err := wire.ParsePort3Resp(answer)
	switch {
	case err != nil:
		return failed(badAnswer(answer, err))
	case resp.Result != 0:
		return failed(ErrNotFound)
	}
	out := Transports{Node: resp.Node(), List: resp.Transports.Transports(), Dialect: wire.MultiTransport}
	preference := func(t wire.Transport) int {
		if at := slices.Index(transports, t.Name); at >= 0 {
			return at
		}
		return len(transports)
	}
	slices.SortStableFunc(out.List, func(a, b wire.Transport) int { return preference(a) - preference(b) })
	if len(out.List) > 0 {
		out.Node.Port, out.Node.Transport = out.List[0].Port, out.List[0].Name
	}
	return out, nil
}

// Names3 is the answer to a NAMES3_REQ.
type Names3 struct {
	// Port is the daemon's own port, as it tells it.
	Port uint32
	// Nodes are the registered ones with their transports, the most recent name
	// first.
	Nodes []NameTransports
	// Dialect is what the daemon speaks: wire.Standard knows no transports, and each
	// node has one without a name.
	Dialect wire.Dialect
}

// NameTransports is one line of [Names3].
type NameTransports struct {
	Name string
	// Transports are in the order of their registration. What ALIVE2_REQ registered
	// has no name.
	Transports []wire.Transport
}

// Dump3 is the answer to a DUMP3_REQ.
type Dump3 struct {
	// Port is the daemon's own port, as it tells it.
	Port uint32
	// Active are the registered nodes, the most recent name first, and Old the
	// remembered names, the oldest first.
	Active, Old []DumpedTransports
	// Dialect is as in Names3.
	Dialect wire.Dialect
}

// DumpedTransports is one line of a [Dump3].
type DumpedTransports struct {
	NameTransports
	// FD is the daemon's own number for the connection of the first transport.
	FD uint64
}

// Names3 asks which nodes are registered, with their transports. From a daemon
// that does not speak the extension it takes the answer of Names; see LookupTransports for
// those that do not survive the question.
func (c *Client) Names3(ctx context.Context) (Names3, error) {
	out := Names3{Dialect: wire.MultiTransport}
	req, err := wire.Names3Req{}.Append(nil)
	if err != nil {
		return out, fmt.Errorf("epmd: names with transports: %w", err)
	}
	out.Port, err = c.list3(ctx, req, func(lines []byte) error {
		for line, err := range wire.Name3Lines(lines) {
			if err != nil {
				return err
			}
			out.Nodes = append(out.Nodes, NameTransports{string(line.Name), line.Transports.Transports()})
		}
		return nil
	})
	switch {
	case errors.Is(err, ErrNoAnswer):
		return c.names3Standard(ctx)
	case err != nil:
		return out, fmt.Errorf("epmd: names with transports: %w", err)
	}
	return out, nil
}

func (c *Client) names3Standard(ctx context.Context) (Names3, error) {
	n, err := c.Names(ctx)
	out := Names3{Port: n.Port}
	for _, node := range n.Nodes {
		out.Nodes = append(out.Nodes, onePort(node.Name, node.Port))
	}
	return out, err
}

func onePort(name string, port uint16) NameTransports {
	return NameTransports{name, []wire.Transport{{Port: port}}}
}

// Dump3 asks which nodes are registered and which names are remembered, with their
// transports. From a daemon that does not speak the extension it takes the answer of
// Dump; like that one it is for local clients only. See LookupTransports for those that do
// not survive the question.
func (c *Client) Dump3(ctx context.Context) (Dump3, error) {
	out := Dump3{Dialect: wire.MultiTransport}
	req, err := wire.Dump3Req{}.Append(nil)
	if err != nil {
		return out, fmt.Errorf("epmd: dump with transports: %w", err)
	}
	out.Port, err = c.list3(ctx, req, func(lines []byte) error {
		for line, err := range wire.Dump3Lines(lines) {
			if err != nil {
				return err
			}
			name := DumpedTransports{NameTransports{string(line.Name), line.Transports.Transports()}, line.FD}
			if line.Active {
				out.Active = append(out.Active, name)
			} else {
				out.Old = append(out.Old, name)
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, ErrNoAnswer):
		return c.dump3Standard(ctx)
	case err != nil:
		return out, fmt.Errorf("epmd: dump with transports: %w", err)
	}
	return out, nil
}

func (c *Client) dump3Standard(ctx context.Context) (Dump3, error) {
	d, err := c.Dump(ctx)
	out := Dump3{Port: d.Port}
	for _, n := range d.Active {
		out.Active = append(out.Active, DumpedTransports{onePort(n.Name, n.Port), n.FD})
	}
	for _, n := range d.Old {
		out.Old = append(out.Old, DumpedTransports{onePort(n.Name, n.Port), n.FD})
	}
	return out, err
}

// list3 asks for a list in blocks and hands over the lines of each. The error is
// ErrNoAnswer if the daemon does not know the request.
func (c *Client) list3(ctx context.Context, req []byte, lines func([]byte) error) (port uint32, err error) {
	answer, err := c.Exchange(ctx, req)
	if err != nil {
		return 0, err
	}
	more := true
	for rest := answer; more; {
		block, n, err := wire.ParseBlock(rest, len(rest) == len(answer))
		if err == nil {
			err = lines(block.Lines)
		}
		if err != nil {
			return port, badAnswer(answer, err)
		}
		if len(rest) == len(answer) {
			port = block.Port
		}
		rest, more = rest[n:], block.More
	}
	return port, nil
}

// Dialect asks which requests the daemon knows, by one of those that only some do; see
// LookupTransports for those that do not survive the question.
func (c *Client) Dialect(ctx context.Context) (wire.Dialect, error) {
	req, err := wire.PortPlease3Req{Name: []byte("-")}.Append(nil) // whether there is one or not
	if err != nil {
		return wire.Standard, fmt.Errorf("epmd: ask for the dialect: %w", err)
	}
	answer, err := c.ask(ctx, req)
	switch {
	case err != nil:
		return wire.Standard, fmt.Errorf("epmd: ask for the dialect: %w", err)
	case len(answer) == 0:
		return wire.Standard, nil
	}
	if _, _, err := wire.ParsePort3Resp(answer); err != nil {
		return wire.Standard, fmt.Errorf("epmd: ask for the dialect: %w", badAnswer(answer, err))
	}
	return wire.MultiTransport, nil
}
