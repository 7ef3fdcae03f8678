package epoll

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/registry"
)

// interest is the events of a connection for which epoll wakes the loop: each change
// once, so that a connection that has to wait does not wake it again and again.
const interest = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET

// watch has epoll watch a connection, or re-arms it: an event that is still true fires
// again. It says no where the system is short of memory.
func (e *Engine) watch(c *socket, events uint32) bool {
	op := unix.EPOLL_CTL_ADD
	if c.watched {
		op = unix.EPOLL_CTL_MOD
	}
	if err := watchFor(e.poll, op, int(c.fd), events, uint64(c.Owner)); err != nil {
		e.report.AcceptFailed(c.remoteAddr(), err)
		return false
	}
	c.watched = true
	return true
}

// fresh are registered connections that epoll does not watch yet, in the order in which
// they came. Watching one costs a tenth of a registration, and those of command line
// tools close at once. The loop finds out that one has closed when a request asks for
// its name, or for all names; when others need its place here or its descriptor; after
// some turns of the loop; and, in any case, before the loop sleeps.
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

// watchLater is watch for a connection that may close at once.
func (e *Engine) watchLater(c *socket) bool {
	if e.fresh.len() == maxFresh && !e.watchOldest() {
		return e.watch(c, interest)
	}
	e.fresh.put(c.Owner, e.turn)
	return true
}

// watchOldest closes the oldest fresh connection if its peer has closed it, and
// otherwise has epoll watch it. Where the system is short of memory it says no, and
// nothing has changed.
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

// watchAllFresh does so with all fresh connections, or says no.
func (e *Engine) watchAllFresh() bool {
	for e.fresh.len() > 0 {
		if !e.watchOldest() {
			return false
		}
	}
	return true
}

// watchOld does so with those that have been fresh for long enough.
func (e *Engine) watchOld() {
	for e.fresh.len() > 0 && e.turn-e.fresh.turns[e.fresh.first%maxFresh] > freshTurns && e.watchOldest() {
	}
}

// sweepFresh closes the fresh connections that a request about a name may find, and that
// their peers have closed.
func (e *Engine) sweepFresh(name []byte) {
	if e.fresh.len() == 0 {
		return
	}
	if len(name) == 0 {
		e.watchAllFresh() // those that it cannot watch it has read
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

// admits says whether a connection may come that may be answered at once, and which limit it
// meets. One that its peer has closed takes no place from a newcomer.
func (e *Engine) admits(from netip.Addr) (hit places.Limit, ok bool) {
	hit, _, ok = e.table.Admits(from, false)
	if hit != places.LimitNone {
		e.watchAllFresh()
		hit, _, ok = e.table.Admits(from, false)
	}
	return hit, ok
}

// admitsKept is the table's, likewise.
func (e *Engine) admitsKept(c *socket) (hit places.Limit, victim *socket, ok bool) {
	if hit, victim, ok = e.table.AdmitsKept(c); hit != places.LimitNone {
		e.watchAllFresh()
		return e.table.AdmitsKept(c)
	}
	return hit, victim, ok
}
