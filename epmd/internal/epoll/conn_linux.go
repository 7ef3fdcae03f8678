package epoll

import (
	"context"
	"log/slog"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
)

// interest is what the loop wants to know of a connection: each change once, so
// that nothing is told again and again of one that has to wait.
const interest = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET

// resume goes on with a connection on which something has happened.
func (e *Engine) handle(c *socket) {
	switch {
	case c.work == nil && c.More:
		w := e.startWork(c)
		w.session = e.daemon.ResumeAlive3(c.Owner, w, c.Registered)
		e.read(c)
	case c.work == nil:
		e.wakeKept(c)
	case c.work.queue == &e.delayed:
	case len(c.work.out) > 0:
		e.flush(c)
	case !c.work.session.Kept() || c.More:
		e.read(c)
	}
}

// read reads the request and answers it, as far as it is there.
func (e *Engine) read(c *socket) {
	w := c.work
	for {
		want := min(w.session.Want(), len(e.in))
		n, errno := receive(int(c.fd), e.in[:want])
		switch {
		case errno == unix.EAGAIN:
			switch {
			case !c.Counted:
				e.givePlace(c)
			case c.More && !w.session.Begun():
				e.endWork(c) // what has begun waits for its rest
			}
			return
		case errno != 0:
			e.finish(c, errno)
			return
		case n == 0:
			e.finish(c, nil)
			return
		}
		w.whole = !c.Begun && n < want
		c.Begun = true
		res := w.session.Feed(e.started, e.in[:n], e.reply[:0])
		if res.Verdict != session.More {
			e.obey(c, res)
			return
		}
		if e.daemon.TimeoutRestarts && c.Counted && !c.More {
			e.startTimeout(w, &e.reading)
		}
	}
}

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

// takePlace closes who has to go, and counts.
func (e *Engine) evictVictim(victim *socket, hit places.Limit) {
	if victim != nil {
		e.drop(victim, places.CauseLimit, engine.ErrLimit)
	}
	e.report.LimitHit(hit)
}

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

// obey does what the session says.
func (e *Engine) obey(c *socket, res session.Result) {
	if res.Verdict == session.Keep && !e.keep(c) {
		e.unanswered(c, engine.ErrLimit)
		return
	}
	e.report.Request(c, res)
	if len(res.Evict) > 0 {
		e.evictNow(res.Evict)
	}
	e.answer(c, res)
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

// wakeKept ends a kept connection on which something has happened.
func (e *Engine) wakeKept(c *socket) {
	n, errno := receive(int(c.fd), e.scrap[:])
	switch {
	case errno == unix.EAGAIN: // it was told twice
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

// endUnanswered ends the registration of a connection on which something happens
// while its answer is still held back. The answer comes nonetheless.
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

// evictNow closes the connections whose names were stopped.
func (e *Engine) evictNow(owners []registry.Owner) {
	for _, o := range owners {
		if c := e.slots.find(o); c != nil {
			e.drop(c, places.CauseStopped, engine.ErrStopped)
		}
	}
}

// drop closes a connection from this side.
func (e *Engine) drop(c *socket, why places.Cause, err error) {
	c.Cause = why
	e.finish(c, err)
}

// finish ends the session, then closes, so that who sees the end of the
// connection finds the name free.
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
		info = c.About() // while there is one
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
	closeFile(int(c.fd))
	if hook := e.report.OnState; hook != nil {
		hook(info, report.StateClosed)
	}
	e.table.Remove(c)
	e.table.EndRequest(c)
	e.endWork(c)
	e.slots.free(c)
	e.stopIfDrained()
}
