package registry

import (
	"slices"

	"github.com/goepmd/goepmd/wire"
)

// Reason says why a registration ended; for no other reason does one end. It is a small
// integer below [NumReasons], fit to index an array of counters.
type Reason uint8

// The reasons.
const (
	_ Reason = iota
	// ReasonClosed: the node closed its connection, or it broke; or the program that runs
	// the daemon released the node.
	ReasonClosed
	// ReasonData: the node sent something on its connection that ends it.
	ReasonData
	// ReasonStopped: somebody stopped the name with STOP_REQ or Unregister.
	ReasonStopped
	// ReasonUnanswered: the reply to the registration could not be written.
	ReasonUnanswered
	// ReasonShutdown: the daemon ends.
	ReasonShutdown

	// NumReasons is one more than the highest reason.
	NumReasons = iota
)

// String is the reason as one lower-case word.
func (r Reason) String() string {
	switch r {
	case ReasonClosed:
		return "closed"
	case ReasonData:
		return "data"
	case ReasonStopped:
		return "stopped"
	case ReasonUnanswered:
		return "unanswered"
	case ReasonShutdown:
		return "shutdown"
	}
	return "unknown"
}

// Release ends everything that an owner has registered, if it has.
func (r *Registry) Release(o Owner, why Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.byOwner[o]
	if c == nil && r.chains[o].n == 0 {
		return
	}
	delete(r.byOwner, o)
	r.changed() // before anybody is told
	for c != nil {
		next := c.sibling
		r.retire(c, why)
		c = next
	}
	r.releaseTransports(o, why)
}

// Unregister ends the registration of a name, whoever holds it, and says who
// did: their connections are to be closed. Of a name with transports it ends what
// else those hold, too. Without such a name it returns none.
func (r *Registry) Unregister(name []byte, why Reason) []Owner {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.byName[string(name)]
	if c == nil || !c.registered {
		return nil
	}
	r.changed() // before anybody is told
	if c.several != nil {
		return r.unregisterAll(c, why)
	}
	r.unchain(c)
	r.retire(c, why)
	return []Owner{c.owner}
}

// unchain takes a record out of its owner's chain.
func (r *Registry) unchain(c *record) {
	at := r.byOwner[c.owner]
	if at == c {
		if c.sibling == nil {
			delete(r.byOwner, c.owner)
		} else {
			r.byOwner[c.owner] = c.sibling
		}
		return
	}
	for at.sibling != c {
		at = at.sibling
	}
	at.sibling = c.sibling
}

// retire makes a registered record, out of its chain, a remembered one. The
// transports that it has are still in theirs.
func (r *Registry) retire(c *record, why Reason) {
	first := c.node()
	if c.several != nil {
		for _, h := range c.several.list {
			r.unlink(h)
		}
	}
	r.stepOver(c)
	r.live.remove(c)
	r.countEnd(why)
	c.registered, c.sibling = false, nil
	c.extra = "" // of an old name only port and owner are ever told
	r.old.pushLast(c)
	if r.old.n-RememberBeyond > r.remember {
		r.forget(r.old.first)
	}
	if c.several == nil {
		r.publish(Event{Kind: Unregistered, Owner: c.owner, Node: first, Creation: c.creation(), Reason: why})
		return
	}
	for i, h := range c.several.list {
		r.publishEnd(h, first, why, len(c.several.list)-1-i)
	}
}

// releaseTransports ends every transport of an owner: for one name after the
// other, beginning with the one that it registered last.
func (r *Registry) releaseTransports(o Owner, why Reason) {
	for h := r.chains[o].first; h != nil; h = r.chains[o].first {
		r.withdraw(h.record, o, why)
	}
}

// withdraw ends the transports of a name that an owner holds, and the name if they
// are all that it has.
func (r *Registry) withdraw(c *record, o Owner, why Reason) {
	others := func(h *transport) bool { return h.owner != o }
	if !slices.ContainsFunc(c.several.list, others) {
		r.retire(c, why)
		return
	}
	all := c.several.list
	c.several.list = make([]*transport, 0, len(all)-1)
	for _, h := range all {
		if others(h) {
			c.several.list = append(c.several.list, h)
		}
	}
	c.first()
	left := len(all)
	for _, h := range all {
		if !others(h) {
			left--
			r.unlink(h)
			r.publishEnd(h, c.node(), why, left)
		}
	}
}

// publishEnd tells of the end of one transport of a node, of which so many are left.
func (r *Registry) publishEnd(h *transport, n wire.Node, why Reason, left int) {
	n.Port, n.Transport = h.port, h.name
	r.publish(Event{
		Kind: Unregistered, Owner: h.owner, Node: n, Transports: left,
		Creation: h.record.creation(), Reason: why,
	})
}

// unregisterAll ends a name with all its transports, and with it everything else that
// their owners hold: their connections are to be closed. It says whose these are.
func (r *Registry) unregisterAll(c *record, why Reason) []Owner {
	var owners []Owner
	for _, h := range c.several.list {
		if !slices.Contains(owners, h.owner) {
			owners = append(owners, h.owner)
		}
	}
	r.retire(c, why)
	for _, o := range owners {
		r.releaseTransports(o, why)
	}
	return owners
}
