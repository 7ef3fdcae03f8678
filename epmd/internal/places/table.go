package places

import (
	"net/netip"
	"sync/atomic"
)

// Table counts the connections of an engine against the limits. Its caller holds the
// engine's lock, or is the engine's only goroutine; the gauges can be read at any time.
type Table[C Placed[C]] struct {
	limits Limits
	peers  map[netip.Addr]peer // as peerOf has them, but for those that do not count

	unfinished queue[C] // not answered in full
	refused    queue[C] // answered, kept, without a registration
	UnderWay   int      // requests that a shutdown waits for

	conns, registered atomic.Int64
	Pending           atomic.Int64 // bytes of replies that wait to be read
}

// peer counts the connections of one peer, and those of them that are unfinished.
type peer struct{ conns, unfinished int }

// Init gives an empty table its limits.
func (t *Table[C]) Init(l Limits) {
	t.limits, t.peers = l, make(map[netip.Addr]peer)
}

// countPeer adds to the count of an address's peer.
func (t *Table[C]) countPeer(a netip.Addr, conns, unfinished int) {
	if !t.limits.peerCounts(a) {
		return
	}
	a = peerOf(a)
	p := t.peers[a]
	p.conns += conns
	p.unfinished += unfinished
	if p.conns == 0 {
		delete(t.peers, a)
		return
	}
	t.peers[a] = p
}

func (t *Table[C]) Len() int { return int(t.conns.Load()) }

// Add takes in a new connection.
func (t *Table[C]) Add(c C) {
	s := c.place()
	s.Counted = true
	t.conns.Add(1)
	t.countPeer(s.Addr, 1, 1)
	s.queued = queuedUnfinished
	t.unfinished.push(c)
	s.UnderWay = true
	t.UnderWay++
}

// Keep moves a connection to the registered or the refused ones. A refused one can
// become registered, never the other way.
func (t *Table[C]) Keep(c C, holds bool) {
	s := c.place()
	switch {
	case s.Registered || !holds && s.Kept():
		return
	case holds:
		t.leaveQueue(c)
		s.Registered = true
		t.registered.Add(1)
	default:
		t.leaveQueue(c)
		s.queued = queuedRefused
		t.refused.push(c)
	}
}

// Remove takes a connection out; doing so again is fine.
func (t *Table[C]) Remove(c C) {
	s := c.place()
	if !s.Counted {
		return
	}
	s.Counted = false
	t.conns.Add(-1)
	t.leaveQueue(c)
	if s.Registered {
		s.Registered = false
		t.registered.Add(-1)
	}
	t.countPeer(s.Addr, -1, 0)
}

// EndRequest no longer counts a connection among the requests under way; doing so again
// is fine.
func (t *Table[C]) EndRequest(c C) {
	if s := c.place(); s.UnderWay {
		s.UnderWay = false
		t.UnderWay--
	}
}

// leaveQueue takes a connection out of the queue that it is in, if any.
func (t *Table[C]) leaveQueue(c C) {
	s := c.place()
	switch s.queued {
	case queuedUnfinished:
		t.unfinished.remove(c)
		t.countPeer(s.Addr, 0, -1)
	case queuedRefused:
		t.refused.remove(c)
	}
	s.queued = queuedNowhere
}

// Gauges are how many connections there are.
type Gauges struct{ Conns, Unfinished, Registered, Refused int }

// Count reads the gauges. It may be called at any time.
func (t *Table[C]) Count() Gauges {
	return Gauges{t.Len(), t.unfinished.len(), int(t.registered.Load()), t.refused.len()}
}

// Unregistered calls f for each connection that is not registered: first those who were
// refused, then the unfinished ones, the oldest first.
func (t *Table[C]) Unregistered(f func(C)) {
	var none C
	for _, first := range []C{t.refused.first, t.unfinished.first} {
		for c := first; c != none; c = c.place().Next {
			f(c)
		}
	}
}
