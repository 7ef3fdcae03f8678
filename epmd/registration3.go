package epmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// ErrDialect: the daemon does not speak the multi-transport extension, and what was
// asked of it cannot be done without.
var ErrDialect = errors.New("the daemon does not speak the multi-transport extension")

// RegisterTransports registers transports of one or more nodes and holds them
// together, on one connection: each of the given nodes with its Transport, Port and
// Name, in that order. If they are lost and the client reregisters, all come back,
// in the same order.
//
// A daemon that does not speak the extension is given the first node by an ordinary
// ALIVE2_REQ, if all have the same name; else the error is ErrDialect.
// Registration.Dialect tells. The other errors are those of Register; if one node
// is refused none is registered.
func (c *Client) RegisterTransports(ctx context.Context, nodes ...wire.Node) (*Registration, error) {
	if len(nodes) == 0 {
		return nil, errors.New("epmd: there is no node to register")
	}
	for _, n := range nodes {
		if err := registry.Check(n.Name, n.Extra); err != nil {
			return nil, fmt.Errorf("epmd: register %q: %w", n.Name, err)
		}
		if _, err := n.AppendAlive3Req(nil); err != nil {
			return nil, fmt.Errorf("epmd: register %q: %w", n.Name, err)
		}
	}
	return c.hold(ctx, &Registration{nodes: slices.Clone(nodes), byAlive3: true})
}

// Nodes are the nodes as they were registered, those of RegisterTransports in their
// order.
func (r *Registration) Nodes() []wire.Node { return slices.Clone(r.nodes) }

// Dialect is by which requests the nodes were registered the last time:
// wire.MultiTransport if all are; wire.Standard if only the first is, by ALIVE2_REQ.
func (r *Registration) Dialect() wire.Dialect {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dialect
}

// Creations are what the daemon told at the last registration, for each of Nodes that
// is registered.
func (r *Registration) Creations() []uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.creations)
}

// registerAll makes one try to register the nodes by ALIVE3_REQ, or the first by
// ALIVE2_REQ.
func (r *Registration) registerAll(ctx context.Context) error {
	err := r.registerOn(ctx, wire.MultiTransport, r.exchangeAll)
	if !errors.Is(err, ErrNoAnswer) {
		return err
	}
	// It need not be the dialect: what is no local client gets no answer either.
	dialect, err2 := r.client.Dialect(ctx)
	switch {
	case err2 != nil || dialect != wire.Standard:
		return errors.Join(err, err2)
	case slices.ContainsFunc(r.nodes, func(n wire.Node) bool { return n.Name != r.nodes[0].Name }):
		return ErrDialect
	}
	return r.registerOn(ctx, wire.Standard, r.exchangeOne)
}

// exchangeAll registers the nodes one by one.
func (r *Registration) exchangeAll(ctx context.Context, nc net.Conn) ([]uint32, error) {
	var creations []uint32
	for _, n := range r.nodes {
		req, err := n.AppendAlive3Req(nil)
		if err != nil {
			return nil, err
		}
		creation, err := exchange(ctx, nc, req, parseAlive3)
		if err != nil {
			return nil, fmt.Errorf("transport %q: %w", n.Transport, err)
		}
		creations = append(creations, creation)
	}
	return creations, nil
}

func parseAlive3(b []byte) (wire.Alive2Resp, int, error) {
	resp, n, err := wire.ParseAlive3Resp(b)
	return wire.Alive2Resp(resp), n, err
}
