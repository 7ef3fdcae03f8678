package epoll

import (
	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
)

// givePlace gives a connection that is not answered at once a place in the table.
// Another connection may be closed for it; if there is no room, this one is.
func (e *Engine) givePlace(c *socket) {
	hit, victim, ok := e.table.Admits(c.Addr, true) // admits has swept
	e.evictVictim(victim, hit)
	if !ok || !e.watch(c, interest) {
		e.finish(c, engine.ErrLimit)
		return
	}
	e.table.Add(c)
	if !c.work.session.Ended() {
		e.startTimeout(c.work, &e.reading)
	}
}

// hasPlace gives a connection that has to wait a place, unless it has one. It says no if
// the connection was closed instead.
func (e *Engine) hasPlace(c *socket) bool {
	if c.Counted {
		return true
	}
	o := c.Owner
	e.givePlace(c)
	return c.Owner == o
}

// keep counts a connection among the registered or the refused ones, before the peer is
// told so. It says no if there is no room.
func (e *Engine) keep(c *socket) bool {
	holds := c.work.session.Holds()
	if c.Kept() {
		return e.keepAgain(c, holds)
	}
	hit, victim, ok := e.admitsKept(c)
	e.evictVictim(victim, hit)
	if !ok {
		return false
	}
	if !c.Counted {
		e.table.Add(c)
	}
	if !holds {
		if victim := e.table.RefusedVictim(); victim != nil {
			e.evictVictim(victim, places.LimitRefused)
		}
	}
	c.More = c.work.session.TakesMore()
	// Only a connection that can get no event before it is answered may be watched later.
	if c.watched || !holds || c.More || e.delayed.wait > 0 {
		if !e.watch(c, interest) {
			return false
		}
	} else if !e.watchLater(c) {
		return false
	}
	if holds {
		e.probeLater(c)
	}
	c.work.stopTimeout()
	c.work.moved = true
	e.table.Keep(c, holds)
	return true
}

// keepAgain is keep for a connection that is kept already and has registered once more.
// It re-arms epoll: if the peer has closed already, the event must fire again to release
// the new transport.
func (e *Engine) keepAgain(c *socket, holds bool) bool {
	if holds && !c.Registered {
		e.probeLater(c)
		c.work.moved = true
	}
	e.table.Keep(c, holds)
	return e.watch(c, interest)
}
