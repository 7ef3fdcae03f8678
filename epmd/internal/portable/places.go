package portable

import (
	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// admit gives a connection a place in the table, if there is room, and says which limit
// it met and which connection has to go for it. The caller holds e.mu.
func (e *Engine) admit(c *conn) (hit places.Limit, victim *conn, ok bool) {
	if e.ending {
		return places.LimitNone, nil, false
	}
	hit, victim, ok = e.table.Admits(c.Addr, true)
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

// drop takes a connection out of the table for a cause. The caller holds e.mu, and calls
// cutDropped once e.mu is free.
func (e *Engine) drop(c *conn, why places.Cause) {
	e.wg.Add(1)
	c.Cause = why
	c.ends.Store(e.config.Shuts(why))
	e.notPending(c)
	e.forget(c)
	c.wake()
}

// notPending no longer counts a reply among the pending bytes. The caller holds e.mu.
func (e *Engine) notPending(c *conn) {
	e.table.Pending.Add(-int64(c.pending))
	c.pending = 0
}

// forget takes a connection out of the table. The caller holds e.mu.
func (e *Engine) forget(c *conn) {
	delete(e.conns, c.Owner)
	e.table.Remove(c)
	e.endRequest(c)
}

// endRequest no longer counts a connection among the requests under way. The caller
// holds e.mu.
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

// evictOne closes the connection that has to go first, when the process has no
// descriptor left, and says whether there was one.
func (e *Engine) evictOne() bool {
	e.mu.Lock()
	v := e.table.Victim()
	if v != nil {
		e.drop(v, places.CauseLimit)
	}
	e.mu.Unlock()
	if v != nil {
		e.report.LimitHit(places.LimitConns)
		v.cutDropped()
	}
	return v != nil
}

// beginChunk keeps a connection from having to go for a limit while a chunk of it is
// worked on: otherwise a newcomer could take its place in the very moment in which it is
// registered. It says no if the connection has to go already.
func (e *Engine) beginChunk(c *conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.Spoke, c.Busy = true, true
	return c.Cause == places.CauseNone
}

// endChunk ends what beginChunk began, and counts a connection that is to be kept among
// the kept ones. The error says why the connection has to go.
func (e *Engine) endChunk(c *conn, res session.Result) (err error) {
	var victims []*conn
	hit := places.LimitNone
	e.mu.Lock()
	c.Busy = false
	keeps := res.Verdict == session.Keep
	switch {
	case c.Cause != places.CauseNone && !(keeps && c.Cause == places.CauseStopped): // which is answered first
		err = engine.ErrLimit
	case keeps:
		if hit, victims, c.answering = e.keep(c); !c.answering {
			err = session.ErrNoRoom
		}
	}
	e.mu.Unlock()
	e.report.LimitHit(hit)
	for _, v := range victims {
		v.cutDropped()
	}
	return err
}

// keep counts a connection among the registered or the refused ones, if there is room,
// and says which limit it met and which connections have to go for it. The caller holds
// e.mu.
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

// answered ends what endChunk began for a connection that is kept, once its reply is
// written. It says no if the connection has to close itself, as Evict wants it.
func (e *Engine) answered(c *conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.answering = false
	return c.Cause != places.CauseStopped
}

// Evict closes the connections whose names STOP_REQ unregistered. One that is not
// answered yet closes itself once its reply is written.
func (e *Engine) Evict(owners []registry.Owner) {
	for _, o := range owners {
		e.mu.Lock()
		c := e.conns[o]
		switch {
		case c == nil:
		case c.Busy || c.answering:
			c.Cause, c = places.CauseStopped, nil
		default:
			e.drop(c, places.CauseStopped)
		}
		e.mu.Unlock()
		if c != nil {
			c.cutDropped()
		}
	}
}
