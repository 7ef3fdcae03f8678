package epmd

import (
	"slices"

	"github.com/goepmd/goepmd/registry"
	saved "github.com/goepmd/goepmd/registry/state"
)

// held is what an engine holds, while it stands still.
type held struct {
	saved.State
	listeners []int // descriptors
	conns     []int // of State.Conns, in their order
}

// add takes in a connection with its descriptor.
func (h *held) add(c saved.Conn, fd int) {
	h.Conns = append(h.Conns, c)
	h.conns = append(h.conns, fd)
}

// close closes the connections, for their nodes too. A nil held has none.
func (h *held) close() {
	if h != nil {
		closeFiles(h.conns)
		h.conns = nil
	}
}

// restore fills a registry. What is registered must have its connection.
func restore(to *registry.Registry, h *held) error {
	if err := to.Restore(h.Names); err != nil {
		return err
	}
	connected := make(map[registry.Owner]bool, len(h.Conns))
	for _, c := range h.Conns {
		connected[c.Owner] = true
	}
	for _, n := range slices.Backward(h.Names.Nodes) { // the oldest first
		for _, o := range n.Owners() {
			if !connected[o] {
				to.Release(o, registry.ReasonClosed)
			}
		}
	}
	return nil
}

// holders are those who hold something that is registered.
func holders(s registry.Snapshot) map[registry.Owner]bool {
	out := make(map[registry.Owner]bool, len(s.Nodes))
	for _, n := range s.Nodes {
		for _, o := range n.Owners() {
			out[o] = true
		}
	}
	return out
}
