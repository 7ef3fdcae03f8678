package epoll

import (
	"context"
	"log/slog"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/registry"
)

// drop closes a connection for a cause of the server's own.
func (e *Engine) drop(c *socket, why places.Cause, err error) {
	c.Cause = why
	e.finish(c, err)
}

// evictNow closes the connections whose names STOP_REQ or Unregister ended: one whose
// reply is not written in full, once it is.
func (e *Engine) evictNow(owners []registry.Owner) {
	for _, o := range owners {
		switch c := e.slots.find(o); {
		case c == nil:
		case c.work != nil && len(c.work.out) > 0:
			c.Cause = places.CauseStopped
			c.work.session.End(registry.ReasonStopped)
		default:
			e.drop(c, places.CauseStopped, engine.ErrStopped)
		}
	}
}

// evictVictim counts the limit, and closes the connection that has to go for it, if there
// is one.
func (e *Engine) evictVictim(victim *socket, hit places.Limit) {
	e.report.LimitHit(hit)
	if victim != nil && e.waits(victim) {
		res := victim.work.session.Feed(e.started, nil, nil)
		e.report.Request(victim, victim.work.session.TurnAway(res))
	}
	if victim != nil {
		e.drop(victim, places.CauseLimit, engine.ErrLimit)
	}
}

// unanswered closes a connection whose reply cannot be written, and ends what it had
// registered.
func (e *Engine) unanswered(c *socket, err error) {
	c.work.session.End(registry.ReasonUnanswered)
	e.finish(c, err)
}

// finish ends the session, takes the connection out of the table, and then closes it, in
// this order: a peer that sees the close finds its name free and the figures right.
func (e *Engine) finish(c *socket, err error) {
	why := registry.ReasonClosed
	if c.Cause == places.CauseShutdown {
		why = registry.ReasonShutdown
	}
	if w := c.work; w != nil {
		if w.session.Begun() && c.Cause == places.CauseNone && err != engine.ErrTimedOut {
			e.report.Partial.Add(1)
			err = engine.ErrPartial
		}
		w.session.End(why)
	} else if c.Registered {
		e.registry.Release(c.Owner, why)
	}
	var info report.Conn
	if e.report.OnState != nil {
		info = c.About() // a closed connection has no addresses
	}
	if e.log.Enabled(context.Background(), slog.LevelDebug) {
		e.log.Debug("connection closed", "remote", c.remoteAddr(), "owner", c.Owner, "err", err)
	}
	if c.work != nil && c.work.pending {
		reset(int(c.fd))
	}
	if e.config.Shuts(c.Cause) {
		_ = watchFor(e.poll, unix.EPOLL_CTL_DEL, int(c.fd), 0, 0) // the watch would outlast the descriptor
		_ = unix.Shutdown(int(c.fd), unix.SHUT_RDWR)              // it fails on one that has ended
	}
	e.table.Remove(c)
	closeFile(int(c.fd))
	c.fd = -1 // the hook may ask for it
	if hook := e.report.OnState; hook != nil {
		hook(info, report.StateClosed)
	}
	e.table.EndRequest(c)
	e.endWork(c)
	e.slots.free(c)
	e.stopIfDrained()
}

// wakeKept closes a kept connection on which something has happened.
func (e *Engine) wakeKept(c *socket) {
	n, errno := receive(int(c.fd), e.scrap[:])
	switch {
	case errno == unix.EAGAIN: // the event fired twice
	case errno != 0:
		e.finish(c, errno)
	case n == 0:
		e.finish(c, nil)
	default:
		s := e.daemon.Resume(c.Owner, c.Registered)
		res := s.Feed(e.started, e.scrap[:n], nil)
		e.report.Request(c, res)
		e.finish(c, res.Err)
	}
}

// endUnanswered ends the registration of a connection on which something happens before
// its reply is written. The reply is written nonetheless.
func (e *Engine) endUnanswered(c *socket) {
	n, errno := receive(int(c.fd), e.scrap[:])
	w := c.work
	switch {
	case errno == unix.EAGAIN || w.session.Ended():
	case errno != 0 || n == 0:
		w.session.End(registry.ReasonClosed)
	default:
		e.report.Request(c, w.session.Feed(e.started, e.scrap[:n], nil))
	}
}
