package registry

import (
	"slices"
	"time"

	"github.com/goepmd/goepmd/wire"
)

// several is the transports of one name, in the order of registration: at least
// one, as long as the name is registered, and after it those that ended last.
type several struct{ list []*transport }

// transport is one of a name. It is a link of its owner's chain while it stands.
type transport struct {
	record     *record
	name       string
	port       uint16
	owner      Owner
	since      int64 // Unix time in nanoseconds of the registration
	alive2     bool  // see HeldTransport
	prev, next *transport
}

// chain is the transports that one owner holds, the most recent first.
type chain struct {
	first *transport
	n     int
}

func (s *several) has(name string) bool {
	return slices.ContainsFunc(s.list, func(h *transport) bool { return h.name == name })
}

func (s *several) heldBy(o Owner) bool {
	return slices.ContainsFunc(s.list, func(h *transport) bool { return h.owner == o })
}

func (s *several) entries() []HeldTransport {
	out := make([]HeldTransport, len(s.list))
	for i, h := range s.list {
		out[i] = HeldTransport{
			Transport: wire.Transport{Name: h.name, Port: h.port}, Owner: h.owner, Since: time.Unix(0, h.since), Alive2: h.alive2,
		}
	}
	return out
}

// transports appends the name's, as lists tell them: what ALIVE2_REQ registered has
// one, without a name.
func (c *record) transports(b []wire.Transport) []wire.Transport {
	if c.several == nil {
		return append(b, wire.Transport{Port: c.port})
	}
	for _, h := range c.several.list {
		b = append(b, wire.Transport{Name: h.name, Port: h.port})
	}
	return b
}

// RegisterTransport registers a node with one transport, as ALIVE3_REQ asks. The
// name is registered with its first transport and ends with its last, and keeps
// its creation meanwhile; each transport belongs to the owner that registered it,
// and ends with it. The type, versions and extra field of the last registration
// stand for the whole name; the protocol does not count.
//
// If it refuses, the error is a [Refusal] and nothing has changed: what is wrong
// with the node, or RefusedTaken if the name has this transport already, was registered by
// Register, or is another owner's that OneHolder keeps it for, RefusedTransports, or
// RefusedHeld.
func (r *Registry) RegisterTransport(o Owner, n wire.Node) (uint32, error) {
	return r.registerTransport(o, n, false)
}

// registerTransport is RegisterTransport, quiet as register is.
func (r *Registry) registerTransport(o Owner, n wire.Node, quiet bool) (uint32, error) {
	refusal := check(n.Name, n.Extra)
	if refusal == 0 && !isTransport(n.Transport) {
		refusal = RefusedTransportName
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.byName[n.Name]
	stands := c != nil && c.registered
	switch {
	case refusal != 0:
	case stands && (c.several == nil || c.several.has(n.Transport) || r.alone && !c.several.heldBy(o)):
		refusal = RefusedTaken
	case stands && len(c.several.list) >= wire.MaxTransports:
		refusal = RefusedTransports
	case r.chains[o].n >= r.maxHeld:
		refusal = RefusedHeld
	}
	if refusal != 0 {
		return r.refuse(o, n, refusal, quiet)
	}
	if !stands {
		c = r.newLife(c, n)
		c.several = new(several)
	}
	return r.add(c, o, n, false), nil
}

// isTransport says whether a transport may have this name.
func isTransport(name string) bool {
	for i := range len(name) {
		if name[i] == 0 {
			return false
		}
	}
	return len(name) <= wire.MaxTransportLen
}

// add adds a transport to a name that may have it, and gives the creation.
func (r *Registry) add(c *record, o Owner, n wire.Node, alive2 bool) uint32 {
	n.Protocol = wire.ProtocolTCP
	c.set(n)
	h := &transport{record: c, name: n.Transport, port: n.Port, owner: o, since: r.now().UnixNano(), alive2: alive2}
	c.several.list = append(c.several.list, h)
	c.first()
	r.link(h)
	r.noteOwner(o)
	r.changed()
	r.publish(Event{Kind: Registered, Owner: o, Node: n, Transports: len(c.several.list), Creation: c.creation()})
	return c.creation()
}

// first has the record tell the first of its transports, for all who know of but
// one.
func (c *record) first() {
	h := c.several.list[0]
	c.port, c.owner = h.port, h.owner
}

// link puts a transport into its owner's chain.
func (r *Registry) link(h *transport) {
	k := r.chains[h.owner]
	if h.next = k.first; h.next != nil {
		h.next.prev = h
	}
	r.chains[h.owner] = chain{h, k.n + 1}
}

// unlink takes a transport out of its owner's chain.
func (r *Registry) unlink(h *transport) {
	k := r.chains[h.owner]
	if k.n--; k.n == 0 {
		delete(r.chains, h.owner)
	} else {
		if h.prev == nil {
			k.first = h.next
		}
		r.chains[h.owner] = k
	}
	if h.prev != nil {
		h.prev.next = h.next
	}
	if h.next != nil {
		h.next.prev = h.prev
	}
	h.prev, h.next = nil, nil
}

// LookupTransports finds a registered node that has a transport of the list, and
// appends those that it has, in the order of their registration, to a slice. An
// empty list finds every node, and appends nothing. A node that Register
// registered has one transport without a name, which goes with any list.
func (r *Registry) LookupTransports(name []byte, of wire.TransportList, to []wire.Transport) (wire.Node, []wire.Transport, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c := r.byName[string(name)]
	switch {
	case c == nil || !c.registered:
		return wire.Node{}, to, false
	case len(of) == 0:
		return c.node(), to, true
	case c.several == nil:
		return c.node(), append(to, wire.Transport{Port: c.port}), true
	}
	none := len(to)
	for _, h := range c.several.list {
		if of.Has(h.name) {
			to = append(to, wire.Transport{Name: h.name, Port: h.port})
		}
	}
	return c.node(), to, len(to) > none
}
