package engine

import (
	"net"
	"slices"

	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/registry"
	saved "github.com/goepmd/goepmd/registry/state"
)

// Held is what an engine holds: given to it by Restore and Resume, and by it in a hand-
// over.
type Held struct {
	saved.State
	ListenerFDs []int // descriptors
	ConnFDs     []int // of State.Conns, in their order, but for those in Nets
	// Nets are the connections as the portable engine has them, from the first on.
	Nets []net.Conn
}

// Files is how many descriptors an engine needs to begin, beside those of listeners and
// connections.
const Files = 4

// Add takes in a connection with its descriptor.
func (h *Held) Add(c saved.Conn, fd int) {
	h.Conns = append(h.Conns, c)
	h.ConnFDs = append(h.ConnFDs, fd)
}

// Close closes the connections, for their peers too. A nil Held has none.
func (h *Held) Close() {
	if h != nil {
		sockets.CloseAll(h.ConnFDs[len(h.Nets):])
		for _, c := range h.Nets {
			_ = c.Close() // its node sees the end
		}
		h.ConnFDs, h.Nets = nil, nil
	}
}

// Release ends the names of connections that nobody will serve. It does not close those.
func (h *Held) Release(r *registry.Registry) {
	for _, c := range h.Conns {
		r.Release(c.Owner, registry.ReasonShutdown)
	}
}

// End ends the names of connections that nobody will serve, and closes those.
func (h *Held) End(r *registry.Registry) {
	h.Release(r)
	h.Close()
}

// Restore fills a registry with the names. A registered name without a connection ends.
func Restore(to *registry.Registry, h *Held) error {
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

// Holders are the connections that hold registered names, and whether they take further
// ALIVE3_REQs, as those that began with one do.
func Holders(s registry.Snapshot) (more map[registry.Owner]bool) {
	more = make(map[registry.Owner]bool, len(s.Nodes))
	for _, n := range s.Nodes {
		if len(n.Transports) == 0 && n.Owner < registry.LocalOwners {
			more[n.Owner] = false
		}
		for _, t := range n.Transports {
			if t.Owner < registry.LocalOwners {
				more[t.Owner] = !t.Alive2
			}
		}
	}
	return more
}
