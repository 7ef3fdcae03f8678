package epoll

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/registry"
)

// interest is what the loop wants to know of a connection: each change once, so
// that nothing is told again and again of one that has to wait.
const interest = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET

// watch tells epoll of a connection. Where the system is short of memory it says
// no.
func (e *Engine) watch(c *socket, events uint32) bool {
	op := unix.EPOLL_CTL_ADD
	if c.watched {
		op = unix.EPOLL_CTL_MOD // what has arrived already is told again
	}
	if err := watchFor(e.poll, op, int(c.fd), events, uint64(c.Owner)); err != nil {
		e.report.AcceptFailed(c.remoteAddr(), err)
		return false
	}
	c.watched = true
	return true
}

// fresh are registered connections of which epoll does not know yet, in the order in
// which they came. To tell it, and be told of the end, costs a tenth of a registration,
// and those of command line tools end at once. That one has ended is found out when
// its name is asked for, or all names are; when others need its place here or its
// descriptor; after some turns of the loop; and before the loop sleeps, in any case.
type fresh struct {
	owners      [maxFresh]registry.Owner
	turns       [maxFresh]uint32 // of the loop, in which they came
	first, next uint32           // counted on, so that next-first is how many there are
}

const (
	maxFresh   = 64 // a power of two
	freshTurns = 64
)

func (f *fresh) len() int { return int(f.next - f.first) }

func (f *fresh) put(o registry.Owner, turn uint32) {
	f.owners[f.next%maxFresh], f.turns[f.next%maxFresh] = o, turn
	f.next++
}

// watchLater is watch for a connection that may end at once.
func (e *Engine) watchLater(c *socket) bool {
	if e.fresh.len() == maxFresh && !e.watchOldest() {
		return e.watch(c, interest)
	}
	e.fresh.put(c.Owner, e.turn)
	return true
}

// settleOldest ends the fresh connection that came first, if its other side has, or else
// has epoll watch it. Where the system is short of memory it says no, and nothing
// has changed.
func (e *Engine) watchOldest() bool {
	o := e.fresh.owners[e.fresh.first%maxFresh]
	if c := e.slots.find(o); c != nil && !c.watched {
		e.wakeKept(c)
		if e.slots.find(o) != nil && !e.watch(c, interest) {
			return false
		}
	}
	e.fresh.first++
	return true
}

// settleAll settles all fresh connections, or says no.
func (e *Engine) watchAllFresh() bool {
	for e.fresh.len() > 0 {
		if !e.watchOldest() {
			return false
		}
	}
	return true
}

// settleOld settles those that have been fresh for long enough.
func (e *Engine) watchOld() {
	for e.fresh.len() > 0 && e.turn-e.fresh.turns[e.fresh.first%maxFresh] > freshTurns && e.watchOldest() {
	}
}

// sweepFresh ends what a request may find among the fresh connections and has ended.
func (e *Engine) sweepFresh(name []byte) {
	if e.fresh.len() == 0 {
		return
	}
	if len(name) == 0 {
		e.watchAllFresh() // what it cannot settle it has looked at
		return
	}
	o, ok := e.registry.Holder(name)
	if !ok {
		return
	}
	switch c := e.slots.find(o); {
	case c == nil:
	case c.More: // there may be further holders, and one of them fresh
		e.watchAllFresh()
	case !c.watched:
		e.wakeKept(c)
	}
}

// admits is the table's, but who has ended takes no place.
func (e *Engine) admits(from netip.Addr) (hit places.Limit, victim *socket, ok bool) {
	if hit, victim, ok = e.table.Admits(from); hit != places.LimitNone && e.fresh.len() > 0 {
		e.watchAllFresh()
		hit, victim, ok = e.table.Admits(from)
	}
	return hit, victim, ok
}

// admitsKept likewise.
func (e *Engine) admitsKept(c *socket) (hit places.Limit, victim *socket, ok bool) {
	if hit, victim, ok = e.table.AdmitsKept(c); hit != places.LimitNone && e.fresh.len() > 0 {
		e.watchAllFresh()
		hit, victim, ok = e.table.AdmitsKept(c)
	}
	return hit, victim, ok
}
