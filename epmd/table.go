package epmd

import (
	"container/list"
	"net/netip"

	"github.com/goepmd/goepmd/registry"
)

// table is the connections of an engine, and what the limits need to know of
// them. The engine's lock guards it.
type table struct {
	limits limits
	conns  map[registry.Owner]*conn
	last   registry.Owner
	peers  map[netip.Addr]int

	unfinished queue // not answered in full
	refused    queue // answered, kept, without a registration
	registered int
	underWay   int // requests that a shutdown waits for
}

func newTable(l limits) table {
	return table{
		limits: l,
		conns:  make(map[registry.Owner]*conn),
		peers:  make(map[netip.Addr]int),
	}
}

func (t *table) len() int { return len(t.conns) }

// limit is one of the bounds on connections.
type limit uint8

const (
	limitNone limit = iota
	limitPeer
	limitConns
	limitUnfinished
	limitRefused
)

// String is the name of the Server's field.
func (l limit) String() string {
	return [...]string{"none", "MaxConnsPerPeer", "MaxConns", "MaxUnfinished", "MaxRefused"}[l]
}

// full says which limit one more connection from an address would break.
func (t *table) full(from netip.Addr) limit {
	switch {
	case t.limits.peerCounts(from) && t.peers[from] >= t.limits.maxConnsPerPeer:
		return limitPeer
	case t.unfinished.len() >= t.limits.maxUnfinished:
		return limitUnfinished // who goes for it makes room in total too
	case len(t.conns) >= t.limits.maxConns:
		return limitConns
	}
	return limitNone
}

// dispensable is who has to go first when there is no room: never somebody
// registered.
func (t *table) dispensable() *conn {
	if c := t.refused.oldest(); c != nil {
		return c
	}
	return t.unfinished.oldest()
}

// add takes in a new connection and numbers it.
func (t *table) add(c *conn) {
	t.last++
	c.owner = t.last
	t.conns[c.owner] = c
	if t.limits.peerCounts(c.remote) {
		t.peers[c.remote]++
	}
	t.unfinished.push(c)
	c.underWay = true
	t.underWay++
}

// keep moves a connection to the registered or the refused ones.
func (t *table) keep(c *conn, holds bool) {
	c.leaveQueue()
	if holds {
		c.registered = true
		t.registered++
	} else {
		t.refused.push(c)
	}
}

// remove takes a connection out; doing so again is fine.
func (t *table) remove(c *conn) {
	if t.conns[c.owner] != c {
		return
	}
	delete(t.conns, c.owner)
	c.leaveQueue()
	if c.registered {
		c.registered = false
		t.registered--
	}
	if t.limits.peerCounts(c.remote) {
		if t.peers[c.remote]--; t.peers[c.remote] == 0 {
			delete(t.peers, c.remote)
		}
	}
}

// queue is connections in the order in which they came.
type queue struct{ l list.List }

func (q *queue) len() int { return q.l.Len() }

func (q *queue) push(c *conn) { c.queue, c.place = q, q.l.PushBack(c) }

// oldest is the one that has waited longest and is not being worked on. As few
// are as there are threads.
func (q *queue) oldest() *conn {
	for e := q.l.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*conn); !c.busy {
			return c
		}
	}
	return nil
}

// leaveQueue takes a connection out of the queue that it is in, if any.
func (c *conn) leaveQueue() {
	if c.queue != nil {
		c.queue.l.Remove(c.place)
		c.queue, c.place = nil, nil
	}
}
