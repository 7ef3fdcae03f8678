package epmd

import (
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// admit puts a connection into the table, if it may, and says which limit it met
// and who has to go for it; e.mu is held.
func (e *portable) admit(c *conn) (hit limit, victim *conn, ok bool) {
	if e.ending {
		return limitNone, nil, false
	}
	hit, victim, ok = e.table.admits(c.remote)
	if victim != nil {
		e.drop(victim, causeLimit)
	}
	if ok {
		e.last++
		c.owner = e.last
		e.conns[c.owner] = c
		e.table.add(c)
	}
	return hit, victim, ok
}

// drop takes a connection out of the table for a cause; e.mu is held. The caller
// cuts it once e.mu is free.
func (e *portable) drop(c *conn, why cause) {
	c.cause = why
	c.ends.Store(e.config.shuts(why))
	e.taken(c)
	e.forget(c)
}

// taken takes what a connection was writing out of the account; e.mu is held.
func (e *portable) taken(c *conn) {
	e.table.pending.Add(-int64(c.pending))
	c.pending = 0
}

// forget takes a connection out of the table; e.mu is held.
func (e *portable) forget(c *conn) {
	delete(e.conns, c.owner)
	e.table.remove(c)
	e.leave(c)
}

// leave ends a connection's part in what is under way; e.mu is held.
func (e *portable) leave(c *conn) {
	e.table.settled(c)
	if e.ending && e.table.underWay == 0 && !e.stopping {
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
func (e *portable) evictOne() bool {
	e.mu.Lock()
	v := e.table.dispensable()
	if v != nil {
		e.drop(v, causeLimit)
	}
	e.mu.Unlock()
	if v != nil {
		e.report.limitHit(limitConns)
		v.cut()
	}
	return v != nil
}

// claim takes a connection off the list of who may have to go, while a chunk of
// it is worked on: else it could be closed for a newcomer in the very moment in
// which it is registered. It says no if the connection has to go already.
func (e *portable) claim(c *conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.begun, c.busy = true, true
	return c.cause == causeNone
}

// settle moves a connection to where it belongs after a chunk. It says no if the
// connection has to go.
func (e *portable) settle(c *conn, res session.Result) bool {
	var victims []*conn
	hit := limitNone
	e.mu.Lock()
	c.busy = false
	ok := c.cause == causeNone
	if ok && res.Verdict == session.Keep {
		hit, victims, ok = e.keep(c)
	}
	e.mu.Unlock()
	e.report.limitHit(hit)
	for _, v := range victims {
		v.cut()
	}
	return ok
}

// keep makes a connection a kept one, if there is room, and says which limit it met
// and who has to go for it; e.mu is held.
func (e *portable) keep(c *conn) (hit limit, victims []*conn, ok bool) {
	dropped := func(v *conn, l limit) {
		if v != nil {
			e.drop(v, causeLimit)
			victims, hit = append(victims, v), l
		}
	}
	if !c.kept() {
		hit, victim, ok := e.table.admitsKept(c)
		dropped(victim, hit)
		if !ok {
			return hit, victims, false
		}
	}
	holds := c.session.Holds()
	c.more = c.session.TakesMore()
	if !holds && !c.kept() {
		dropped(e.table.crowded(), limitRefused)
	}
	e.table.keep(c, holds)
	return hit, victims, true
}

// evict closes the connections whose names STOP_REQ unregistered.
func (e *portable) evict(owners []registry.Owner) {
	for _, o := range owners {
		e.mu.Lock()
		c := e.conns[o]
		if c != nil {
			e.drop(c, causeStopped)
		}
		e.mu.Unlock()
		if c != nil {
			c.cut()
		}
	}
}
