package portable

import (
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// admit puts a connection into the table, if it may, and says which limit it met
// and who has to go for it; e.mu is held.
func (e *Engine) admit(c *conn) (hit places.Limit, victim *conn, ok bool) {
	if e.ending {
		return places.LimitNone, nil, false
	}
	hit, victim, ok = e.table.Admits(c.Addr)
	if victim != nil {
		e.drop(victim, places.CauseLimit)
	}
	if ok {
		e.last++
		c.Owner = e.last
		e.conns[c.Owner] = c
		e.table.Add(c)
	}
	return hit, victim, ok
}

// drop takes a connection out of the table for a cause; e.mu is held. The caller
// cuts it once e.mu is free.
func (e *Engine) drop(c *conn, why places.Cause) {
	c.Cause = why
	c.ends.Store(e.config.Shuts(why))
	e.notPending(c)
	e.forget(c)
}

// taken takes what a connection was writing out of the account; e.mu is held.
func (e *Engine) notPending(c *conn) {
	e.table.Pending.Add(-int64(c.pending))
	c.pending = 0
}

// forget takes a connection out of the table; e.mu is held.
func (e *Engine) forget(c *conn) {
	delete(e.conns, c.Owner)
	e.table.Remove(c)
	e.endRequest(c)
}

// leave ends a connection's part in what is under way; e.mu is held.
func (e *Engine) endRequest(c *conn) {
	e.table.EndRequest(c)
	if e.ending && e.table.UnderWay == 0 && !e.stopping {
		closeOnce(e.drained)
	}
}

// closeOnce closes a channel that nothing is ever sent on, unless it is closed;
// the caller holds the lock that guards it.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// evictOne makes room when the system has none, and says whether it could.
func (e *Engine) evictOne() bool {
	e.mu.Lock()
	v := e.table.Victim()
	if v != nil {
		e.drop(v, places.CauseLimit)
	}
	e.mu.Unlock()
	if v != nil {
		e.report.LimitHit(places.LimitConns)
		v.cut()
	}
	return v != nil
}

// claim takes a connection off the list of who may have to go, while a chunk of
// it is worked on: else it could be closed for a newcomer in the very moment in
// which it is registered. It says no if the connection has to go already.
func (e *Engine) beginChunk(c *conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.Begun, c.Busy = true, true
	return c.Cause == places.CauseNone
}

// settle moves a connection to where it belongs after a chunk. It says no if the
// connection has to go.
func (e *Engine) endChunk(c *conn, res session.Result) bool {
	var victims []*conn
	hit := places.LimitNone
	e.mu.Lock()
	c.Busy = false
	ok := c.Cause == places.CauseNone
	if ok && res.Verdict == session.Keep {
		hit, victims, ok = e.keep(c)
	}
	e.mu.Unlock()
	e.report.LimitHit(hit)
	for _, v := range victims {
		v.cut()
	}
	return ok
}

// keep makes a connection a kept one, if there is room, and says which limit it met
// and who has to go for it; e.mu is held.
func (e *Engine) keep(c *conn) (hit places.Limit, victims []*conn, ok bool) {
	dropped := func(v *conn, l places.Limit) {
		if v != nil {
			e.drop(v, places.CauseLimit)
			victims, hit = append(victims, v), l
		}
	}
	if !c.Kept() {
		hit, victim, ok := e.table.AdmitsKept(c)
		dropped(victim, hit)
		if !ok {
			return hit, victims, false
		}
	}
	holds := c.session.Holds()
	c.More = c.session.TakesMore()
	if !holds && !c.Kept() {
		dropped(e.table.RefusedVictim(), places.LimitRefused)
	}
	e.table.Keep(c, holds)
	return hit, victims, true
}

// Evict closes the connections whose names STOP_REQ unregistered.
func (e *Engine) Evict(owners []registry.Owner) {
	for _, o := range owners {
		e.mu.Lock()
		c := e.conns[o]
		if c != nil {
			e.drop(c, places.CauseStopped)
		}
		e.mu.Unlock()
		if c != nil {
			c.cut()
		}
	}
}
