package epoll

import (
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/registry"
)

// wait waits for something to happen.
func (e *Engine) wait() {
	block := !e.unaccepted && len(e.ready) == 0
	if block && !e.watchAllFresh() {
		e.wakeAt(e.now() + engine.ShortestPause) // to try again
	}
	n := waitEvents(e.poll, e.events[:], block)
	e.tick()
	for i := range n {
		e.note(&e.events[i])
	}
}

// sweep lets the closes of registered connections take effect before a session answers:
// of all, or at least of those that hold a name. It notes other events for later.
func (e *Engine) sweep(name []byte) {
	e.swept = true
	e.sweepFresh(name)
	for {
		n := waitEvents(e.poll, e.sweeping[:], false)
		for i := range n {
			e.note(&e.sweeping[i])
		}
		if n < len(e.sweeping) {
			return
		}
	}
}

// note sorts an event. Whatever arrives on a kept connection closes it at once; of one
// that takes further requests only its peer's close releases the names at once. All
// other events have their turn.
func (e *Engine) note(ev *unix.EpollEvent) {
	id := registry.Owner(eventID(ev))
	if id&slotMask == 0 {
		switch n := int(id >> slotBits); n {
		case idWake:
			e.woken = true
		case idTimer:
			e.rung = true
		default:
			e.listeners[n-idListener].ready = true
			e.unaccepted = true
		}
		return
	}
	switch c := e.slots.find(id); {
	case c == nil: // it is closed, and the event does not concern the next in its slot
	case c.More:
		if ev.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
			e.registry.Release(c.Owner, registry.ReasonClosed)
		}
		e.ready = append(e.ready, id)
	case c.work == nil:
		e.wakeKept(c)
	case c.work.session.Kept():
		e.endUnanswered(c)
		e.ready = append(e.ready, id)
	default:
		e.ready = append(e.ready, id)
	}
}
