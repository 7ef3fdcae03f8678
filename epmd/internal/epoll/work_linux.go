package epoll

import (
	"time"

	"golang.org/x/sys/unix"
)

// maxFreeWorks is how many works the engine keeps for connections to come.
const maxFreeWorks = 256

// startWork gives a connection its work.
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

// endWork takes the work back from a connection.
func (e *Engine) endWork(c *socket) {
	w := c.work
	if w == nil {
		return
	}
	e.notPending(w)
	e.stopWaiting(c)
	w.stopTimeout()
	c.work = nil
	if e.freeWorks < maxFreeWorks {
		*w = work{next: e.freeWork}
		e.freeWork = w
		e.freeWorks++
	}
}

// notPending no longer counts the rest of a reply among the pending bytes.
func (e *Engine) notPending(w *work) {
	if w.pending {
		e.table.Pending.Add(-int64(len(w.out)))
		w.pending = false
	}
}

// startTimeout starts a time-out now.
func (e *Engine) startTimeout(w *work, l *timeouts) {
	w.startTimeout(l, e.now())
	if w.queue != nil {
		e.wakeAt(w.until)
	}
}

// wakeAt has the timer wake the loop at a time since the engine's start, or earlier: to
// wake up for nothing costs less than to set the timer for each time-out. An alarm of 0
// is none.
func (e *Engine) wakeAt(at time.Duration) {
	if e.alarm != 0 && e.alarm <= at {
		return
	}
	e.alarm = at
	left := max(at-e.now(), 0) + time.Millisecond // not a moment too early
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(left))}
	if err := unix.TimerfdSettime(e.timer, 0, &spec, nil); err != nil {
		e.log.Error("the timer cannot be set, so nobody is closed for being late", "err", err)
	}
}
