package epmd

import (
	"context"
	"log/slog"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// interest is what the loop wants to know of a connection: each change once, so
// that nothing is told again and again of one that has to wait.
const interest = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET

// resume goes on with a connection on which something has happened.
func (e *epoll) resume(c *socket) {
	switch {
	case c.work == nil && c.more:
		w := e.takeWork(c)
		w.session = e.daemon.ResumeAlive3(c.owner, w, c.registered)
		e.read(c)
	case c.work == nil:
		e.wakeKept(c)
	case c.work.line == &e.delayed:
	case len(c.work.out) > 0:
		e.flush(c)
	case !c.work.session.Kept() || c.more:
		e.read(c)
	}
}

// read reads the request and answers it, as far as it is there.
func (e *epoll) read(c *socket) {
	w := c.work
	for {
		want := min(w.session.Want(), len(e.in))
		n, errno := receive(int(c.fd), e.in[:want])
		switch {
		case errno == unix.EAGAIN:
			switch {
			case !c.taken:
				e.sit(c)
			case c.more && !w.session.Begun():
				e.giveBack(c) // what has begun waits for its rest
			}
			return
		case errno != 0:
			e.finish(c, errno)
			return
		case n == 0:
			e.finish(c, nil)
			return
		}
		w.whole = !c.begun && n < want
		c.begun = true
		res := w.session.Feed(e.begun, e.in[:n], e.reply[:0])
		if res.Verdict != session.More {
			e.obey(c, res)
			return
		}
		if e.daemon.TimeoutRestarts && c.taken && !c.more {
			e.enlist(w, &e.reading)
		}
	}
}

// sit gives a connection that is not answered at once a place in the table, for
// which another may have to go.
func (e *epoll) sit(c *socket) {
	hit, victim, ok := e.admits(c.remote)
	e.takePlace(victim, hit)
	if !ok || !e.watch(c, interest) {
		e.finish(c, errLimit)
		return
	}
	e.table.add(c)
	if !c.work.session.Ended() {
		e.enlist(c.work, &e.reading)
	}
}

// takePlace closes who has to go, and counts.
func (e *epoll) takePlace(victim *socket, hit limit) {
	if victim != nil {
		e.drop(victim, causeLimit, errLimit)
	}
	e.report.limitHit(hit)
}

// watch tells epoll of a connection. Where the system is short of memory it says
// no.
func (e *epoll) watch(c *socket, events uint32) bool {
	op := unix.EPOLL_CTL_ADD
	if c.watched {
		op = unix.EPOLL_CTL_MOD // what has arrived already is told again
	}
	if err := watchFor(e.poll, op, int(c.fd), events, uint64(c.owner)); err != nil {
		e.report.acceptFailed(c.remoteAddr(), err)
		return false
	}
	c.watched = true
	return true
}

// obey does what the session says.
func (e *epoll) obey(c *socket, res session.Result) {
	if res.Verdict == session.Keep && !e.hold(c) {
		e.unanswered(c, errLimit)
		return
	}
	e.report.request(c, res)
	if len(res.Evict) > 0 {
		e.evictNow(res.Evict)
	}
	e.answer(c, res)
}

// hold makes a connection a kept one, before it is told so.
func (e *epoll) hold(c *socket) bool {
	holds := c.work.session.Holds()
	if c.kept() {
		return e.holdMore(c, holds)
	}
	hit, victim, ok := e.admitsKept(c)
	e.takePlace(victim, hit)
	if !ok {
		return false
	}
	if !c.taken {
		e.table.add(c)
	}
	if !holds {
		if victim := e.table.crowded(); victim != nil {
			e.takePlace(victim, limitRefused)
		}
	}
	c.more = c.work.session.TakesMore()
	// One that has a place already, or may get another event before it is parked, is watched.
	if c.watched || !holds || c.more || e.delayed.wait > 0 {
		if !e.watch(c, interest) {
			return false
		}
	} else if !e.watchLater(c) {
		return false
	}
	if holds {
		e.probeLater(c)
	}
	c.work.leave()
	c.work.moved = true
	e.table.keep(c, holds)
	return true
}

// holdMore is hold for a connection that is kept already. That its other side has
// ended is told again, now that there is more to release for it.
func (e *epoll) holdMore(c *socket, holds bool) bool {
	if holds && !c.registered {
		e.probeLater(c)
		c.work.moved = true
	}
	e.table.keep(c, holds)
	return e.watch(c, interest)
}

// wakeKept ends a kept connection on which something has happened.
func (e *epoll) wakeKept(c *socket) {
	n, errno := receive(int(c.fd), e.scrap[:])
	switch {
	case errno == unix.EAGAIN: // it was told twice
	case errno != 0:
		e.finish(c, errno)
	case n == 0:
		e.finish(c, nil)
	default:
		s := e.daemon.Resume(c.owner, c.registered)
		res := s.Feed(e.begun, e.scrap[:n], nil)
		e.report.request(c, res)
		e.finish(c, res.Err)
	}
}

// endUnanswered ends the registration of a connection on which something happens
// while its answer is still held back. The answer comes nonetheless.
func (e *epoll) endUnanswered(c *socket) {
	n, errno := receive(int(c.fd), e.scrap[:])
	w := c.work
	switch {
	case errno == unix.EAGAIN || w.session.Ended():
	case errno != 0 || n == 0:
		w.session.End(registry.ReasonClosed)
	default:
		e.report.request(c, w.session.Feed(e.begun, e.scrap[:n], nil))
	}
}

// evictNow closes the connections whose names were stopped.
func (e *epoll) evictNow(owners []registry.Owner) {
	for _, o := range owners {
		if c := e.slots.find(o); c != nil {
			e.drop(c, causeStopped, errStopped)
		}
	}
}

// drop closes a connection from this side.
func (e *epoll) drop(c *socket, why cause, err error) {
	c.cause = why
	e.finish(c, err)
}

// finish ends the session, then closes, so that who sees the end of the
// connection finds the name free.
func (e *epoll) finish(c *socket, err error) {
	why := registry.ReasonClosed
	if c.cause == causeShutdown {
		why = registry.ReasonShutdown
	}
	if w := c.work; w != nil {
		if w.session.Begun() && c.cause == causeNone && err != errTimedOut {
			e.report.partial.Add(1)
			err = errPartial
		}
		w.session.End(why)
	} else if c.registered {
		e.registry.Release(c.owner, why)
	}
	var info told
	if e.report.onState != nil {
		info = c.about() // while there is one
	}
	if e.log.Enabled(context.Background(), slog.LevelDebug) {
		e.log.Debug("connection closed", "remote", c.remoteAddr(), "owner", c.owner, "err", err)
	}
	if c.work != nil && c.work.pending {
		reset(int(c.fd))
	}
	if e.config.shuts(c.cause) {
		_ = watchFor(e.poll, unix.EPOLL_CTL_DEL, int(c.fd), 0, 0) // the watch would outlast the descriptor
		_ = unix.Shutdown(int(c.fd), unix.SHUT_RDWR)              // it fails on one that has ended
	}
	closeFile(int(c.fd))
	if hook := e.report.onState; hook != nil {
		hook(info, stageClosed)
	}
	e.table.remove(c)
	e.table.settled(c)
	e.giveBack(c)
	e.slots.free(c)
	e.stopIfDrained()
}
