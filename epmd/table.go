package epmd

import (
	"net/netip"
	"sync/atomic"
)

// table is what the limits of an engine need to know of its connections, and
// who has to go when one is reached. Whoever changes it holds the engine's lock,
// or is the engine's only thread; its gauges can be read at any time.
type table[C seated[C]] struct {
	limits limits
	peers  map[netip.Addr]int

	unfinished queue[C] // not answered in full
	refused    queue[C] // answered, kept, without a registration
	underWay   int      // requests that a shutdown waits for

	conns, registered atomic.Int64
	pending           atomic.Int64 // bytes of replies that wait to be taken
}

// init gives an empty table its limits.
func (t *table[C]) init(l limits) {
	t.limits, t.peers = l, make(map[netip.Addr]int)
}

func (t *table[C]) len() int { return int(t.conns.Load()) }

// full says which limit one more connection from an address would break.
func (t *table[C]) full(from netip.Addr) limit {
	switch {
	case t.limits.peerCounts(from) && t.peers[from] >= t.limits.maxConnsPerPeer:
		return limitPeer
	case t.unfinished.len() >= t.limits.maxUnfinished:
		return limitUnfinished // who goes for it makes room in total too
	case t.len() >= t.limits.maxConns:
		return limitConns
	}
	return limitNone
}

// admits says whether there is, or can be made, room for one more connection
// from an address; which limit is met; and who has to go.
func (t *table[C]) admits(from netip.Addr) (hit limit, victim C, ok bool) {
	switch hit = t.full(from); hit {
	case limitPeer:
		return hit, victim, false
	case limitUnfinished:
		victim = t.unfinished.oldest()
	case limitConns:
		var none C
		if victim = t.dispensable(); victim == none {
			return hit, victim, false
		}
	}
	return hit, victim, true
}

// admitsKept is admits for a connection that is to be kept, which may have its place
// already. Of those who are kept only the refused can make room.
func (t *table[C]) admitsKept(c C) (hit limit, victim C, ok bool) {
	var none C
	switch {
	case int(t.registered.Load())+t.refused.len() >= t.limits.maxKept:
		victim = t.refused.oldest()
	case !c.place().taken && t.len() >= t.limits.maxConns:
		victim = t.dispensable()
	default:
		return limitNone, none, true
	}
	return limitConns, victim, victim != none
}

// overdue is who has to go because replies to too slow readers take up too much:
// the one that has waited longest, but not the given one.
func (t *table[C]) overdue(but C) C {
	var none C
	if t.pending.Load() <= int64(t.limits.maxPending) {
		return none
	}
	for c := t.unfinished.first; c != none; c = c.place().next {
		if c != but && c.waits() > 0 {
			return c
		}
	}
	return none
}

// dispensable is who has to go first when there is no room: never somebody
// registered.
func (t *table[C]) dispensable() C {
	var none C
	if c := t.refused.oldest(); c != none {
		return c
	}
	return t.unfinished.oldest()
}

// add takes in a new connection.
func (t *table[C]) add(c C) {
	s := c.place()
	s.taken = true
	t.conns.Add(1)
	if t.limits.peerCounts(s.remote) {
		t.peers[s.remote]++
	}
	s.queued = queuedUnfinished
	t.unfinished.push(c)
	s.underWay = true
	t.underWay++
}

// keep moves a connection to the registered or the refused ones. It may be one of
// them already: it goes from the refused to the registered ones, never back.
func (t *table[C]) keep(c C, holds bool) {
	s := c.place()
	switch {
	case s.registered || !holds && s.kept():
		return
	case holds:
		t.leaveQueue(c)
		s.registered = true
		t.registered.Add(1)
	default:
		t.leaveQueue(c)
		s.queued = queuedRefused
		t.refused.push(c)
	}
}

// crowded is who has to go for one more refused connection, if anybody.
func (t *table[C]) crowded() (victim C) {
	if t.refused.len() >= t.limits.maxRefused {
		victim = t.refused.oldest()
	}
	return victim
}

// remove takes a connection out; doing so again is fine.
func (t *table[C]) remove(c C) {
	s := c.place()
	if !s.taken {
		return
	}
	s.taken = false
	t.conns.Add(-1)
	t.leaveQueue(c)
	if s.registered {
		s.registered = false
		t.registered.Add(-1)
	}
	if t.limits.peerCounts(s.remote) {
		if t.peers[s.remote]--; t.peers[s.remote] == 0 {
			delete(t.peers, s.remote)
		}
	}
}

// settled ends a connection's part in what is under way; doing so again is fine.
func (t *table[C]) settled(c C) {
	if s := c.place(); s.underWay {
		s.underWay = false
		t.underWay--
	}
}

// leaveQueue takes a connection out of the queue that it is in, if any.
func (t *table[C]) leaveQueue(c C) {
	s := c.place()
	switch s.queued {
	case queuedUnfinished:
		t.unfinished.remove(c)
	case queuedRefused:
		t.refused.remove(c)
	}
	s.queued = queuedNowhere
}

// gauges are how many connections there are.
type gauges struct{ conns, unfinished, registered, refused int }

// count reads the gauges. It may be called at any time.
func (t *table[C]) count() gauges {
	return gauges{t.len(), t.unfinished.len(), int(t.registered.Load()), t.refused.len()}
}
