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

// sweep, which a session calls before it answers, lets the end of registered
// connections take effect first: of all, or at least that of a name. What else has
// happened is noted for later.
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

// note sorts what has happened. That something has arrived on a kept connection
// ends it at once, or, if it takes more, that its other side has ended; all else has
// its turn.
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
	case c == nil: // it is gone, and the event of no concern to who has its place
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
