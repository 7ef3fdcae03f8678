package epoll

import (
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// handle goes on with a connection on which something has happened.
func (e *Engine) handle(c *socket) {
	switch {
	case c.work == nil && c.More:
		w := e.startWork(c)
		w.session = e.daemon.ResumeAlive3(c.Owner, w, c.Registered)
		e.read(c)
	case c.work == nil:
		e.wakeKept(c)
	case c.work.queue == &e.delayed, e.waits(c):
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
				e.endWork(c) // a request of which a part has come keeps its work
			}
			return
		case errno != 0:
			e.finish(c, errno)
			return
		case n == 0:
			e.finish(c, nil)
			return
		}
		w.whole = !c.Spoke && n < want
		c.Spoke = true
		res := w.session.Feed(e.started, e.in[:n], e.reply[:])
		if res.Verdict != session.More {
			e.obey(c, res)
			return
		}
		if c.Counted && w.session.Restarts() {
			e.startTimeout(w, &e.reading)
		}
	}
}

// waits says whether a connection waits for a taken name. The loop looks
// at what happens on it meanwhile after the answer.
func (e *Engine) waits(c *socket) bool { return c.work != nil && c.work.queue == &e.awaiting }

// await has a connection wait for a name that is taken.
func (e *Engine) await(c *socket, name []byte) {
	if e.ending {
		e.conclude(c, c.work.session.Retry(true, e.reply[:]))
		return
	}
	if !e.hasPlace(c) {
		return
	}
	e.startTimeout(c.work, &e.awaiting)
	o := c.Owner
	e.config.Waiters.Join(name, o, func() { e.order(func() { e.retry(o, false) }) })
}

// retry tries again the registration of a connection that waits, if it still does.
func (e *Engine) retry(o registry.Owner, last bool) {
	c := e.slots.find(o)
	if c == nil || !e.waits(c) || !last && !e.config.Waiters.First(o) {
		return // it was woken for a wait that is over
	}
	res := c.work.session.Retry(last, e.reply[:])
	if res.Verdict == session.Wait {
		return
	}
	e.stopWaiting(c)
	e.conclude(c, res)
}

// stopWaiting takes a connection out of the waiters for a name, if it is one.
func (e *Engine) stopWaiting(c *socket) {
	if e.waits(c) {
		c.work.stopTimeout()
		e.config.Waiters.Leave(c.Owner)
	}
}

// obey does what the session says.
func (e *Engine) obey(c *socket, res session.Result) {
	c.work.asked = e.looked
	if res.Verdict == session.Wait {
		e.await(c, res.Name)
		return
	}
	e.conclude(c, res)
}

// conclude is obey once the session has decided.
func (e *Engine) conclude(c *socket, res session.Result) {
	if res.Verdict == session.Keep && !e.keep(c) {
		res = c.work.session.TurnAway(res)
	}
	e.report.Request(c, res)
	if len(res.Evict) > 0 {
		e.evictNow(res.Evict)
	}
	e.answer(c, res)
}
