package epoll

import (
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/session"
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

// obey does what the session says.
func (e *Engine) obey(c *socket, res session.Result) {
	if res.Verdict == session.Keep && !e.keep(c) {
		res = c.work.session.TurnAway(res)
	}
	e.report.Request(c, res)
	if len(res.Evict) > 0 {
		e.evictNow(res.Evict)
	}
	e.answer(c, res)
}
