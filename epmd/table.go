package epmd

import (
	"net/netip"
	"sync/atomic"

	"github.com/goepmd/goepmd/registry"
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

// seated is a connection of an engine: a pointer to what has a seat.
type seated[C any] interface {
	comparable
	place() *seat[C]
	waits() int // bytes of its reply that are in table.pending
}

// seat is what the table keeps of a connection.
type seat[C any] struct {
	owner  registry.Owner
	remote netip.Addr

	prev, next C // in the queue
	queued     whichQueue
	taken      bool  // it is in the table
	registered bool  // counted as such
	underWay   bool  // a shutdown waits for it
	begun      bool  // a part of a request has arrived
	busy       bool  // a chunk is worked on: must not be closed for a limit
	more       bool  // it takes further requests although it is kept
	cause      cause // why this side closes it
}

// cause is why this side closes a connection before its time.
type cause uint8

const (
	causeNone cause = iota
	causeLimit
	causeStopped  // its name was stopped by force
	causeShutdown // the server ends
)

type whichQueue uint8

const (
	queuedNowhere whichQueue = iota
	queuedUnfinished
	queuedRefused
)

func (t *table[C]) init(l limits) {
	t.limits, t.peers = l, make(map[netip.Addr]int)
}

func (t *table[C]) len() int { return int(t.conns.Load()) }

// limit is one of the bounds on connections.
type limit uint8

const (
	limitNone limit = iota
	limitPeer
	limitConns
	limitUnfinished
	limitRefused
	limitPending
)

// String is the name of the Server's field.
func (l limit) String() string {
	return [...]string{"none", "MaxConnsPerPeer", "MaxConns", "MaxUnfinished", "MaxRefused", "MaxPendingBytes"}[l]
}

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

// kept says whether a connection is one of the registered or refused ones.
func (s *seat[C]) kept() bool { return s.registered || s.queued == queuedRefused }

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

// count fills in the gauges.
func (t *table[C]) count(s *Stats) {
	s.Conns = t.len()
	s.Unfinished = t.unfinished.len()
	s.Registered = int(t.registered.Load())
	s.Refused = t.refused.len()
}

// queue is connections in the order in which they came.
type queue[C seated[C]] struct {
	first, last C
	n           atomic.Int64
}

func (q *queue[C]) len() int { return int(q.n.Load()) }

func (q *queue[C]) push(c C) {
	var none C
	s := c.place()
	s.prev, s.next = q.last, none
	if q.last == none {
		q.first = c
	} else {
		q.last.place().next = c
	}
	q.last = c
	q.n.Add(1)
}

func (q *queue[C]) remove(c C) {
	var none C
	s := c.place()
	if s.prev == none {
		q.first = s.next
	} else {
		s.prev.place().next = s.next
	}
	if s.next == none {
		q.last = s.prev
	} else {
		s.next.place().prev = s.prev
	}
	s.prev, s.next = none, none
	q.n.Add(-1)
}

// oldest is the one that has waited longest and is not being worked on. As few
// are as there are threads.
func (q *queue[C]) oldest() C {
	var none C
	for c := q.first; c != none; c = c.place().next {
		if !c.place().busy {
			return c
		}
	}
	return none
}
