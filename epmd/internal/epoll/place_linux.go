package epoll

import (
	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
)

// sit gives a connection that is not answered at once a place in the table, for
// which another may have to go.
func (e *Engine) givePlace(c *socket) {
	hit, victim, ok := e.admits(c.Addr)
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

// seated sees that a connection that has to wait has a place in the table.
func (e *Engine) hasPlace(c *socket) bool {
	if c.Counted {
		return true
	}
	o := c.Owner
	e.givePlace(c)
	return c.Owner == o
}

// hold makes a connection a kept one, before it is told so.
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
	// One that has a place already, or may get another event before it is parked, is watched.
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

// holdMore is hold for a connection that is kept already. That its other side has
// ended is told again, now that there is more to release for it.
func (e *Engine) keepAgain(c *socket, holds bool) bool {
	if holds && !c.Registered {
		e.probeLater(c)
		c.work.moved = true
	}
	e.table.Keep(c, holds)
	return e.watch(c, interest)
}
