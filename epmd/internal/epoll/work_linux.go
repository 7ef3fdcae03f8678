package epoll

import (
	"net/netip"
	"time"

	"github.com/goepmd/goepmd/epmd/session"

	"github.com/goepmd/goepmd/epmd/internal/report"
)

// work is what a connection needs until it is answered in full. A kept connection
// has given it back.
type work struct {
	session session.Session
	socket  *socket
	early   bool // it came before the listener was told how to probe it

	// The answer, as far as it is not written yet.
	out     []byte
	shared  bool            // out is a kept list, or a copy
	after   session.Verdict // what to do when it is written
	err     error           // why the connection then ends
	whole   bool            // the request came in one piece, and nothing with it
	pending bool            // out is in the table's account
	moved   bool            // the connection's state is to be told with it
	asked   time.Duration   // since the engine's start, if latencies are measured

	// The line that it waits in, if any.
	queue      *timeouts
	prev, next *work
	until      time.Duration // since the engine's start
}

// Remote and Local make it a session.Peer, about a subject of reports.
func (w *work) Remote() netip.Addr { return w.socket.Addr }
func (w *work) Local() netip.Addr  { return w.socket.local() }
func (w *work) About() report.Conn { return w.socket.About() }

// maxIdleWork is how much is held for connections to come.
const maxFreeWorks = 256

// takeWork gives a connection its work.
func (e *Engine) startWork(c *socket) *work {
	w := e.freeWork
	if w == nil {
		w = new(work)
	} else {
		e.freeWork = w.next
		e.freeWorks--
	}
	w.next, w.socket, c.work = nil, c, w
	return w
}

// giveBack ends the work on a connection.
func (e *Engine) endWork(c *socket) {
	w := c.work
	if w == nil {
		return
	}
	e.notPending(w)
	w.stopTimeout()
	c.work = nil
	if e.freeWorks < maxFreeWorks {
		*w = work{next: e.freeWork}
		e.freeWork = w
		e.freeWorks++
	}
}

// line is work in the order in which its time runs out: what waits in a line
// waits equally long, so the newest goes to the end. It takes the place of a
// timer for each.
type timeouts struct {
	wait        time.Duration // 0: for ever
	first, last *work
}

// join goes to the end of a line, out of the one that it is in. Where time does not
// run out there is no line.
func (w *work) startTimeout(l *timeouts, now time.Duration) {
	w.stopTimeout()
	if l.wait == 0 {
		return
	}
	w.queue, w.until = l, now+l.wait
	w.prev = l.last
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
}

// leave leaves the line, if it is in one.
func (w *work) stopTimeout() {
	l := w.queue
	if l == nil {
		return
	}
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.queue, w.prev, w.next = nil, nil, nil
}
