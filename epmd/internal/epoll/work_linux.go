package epoll

import (
	"time"

	"golang.org/x/sys/unix"
)

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

// notPending takes the rest of a reply out of the account.
func (e *Engine) notPending(w *work) {
	if w.pending {
		e.table.Pending.Add(-int64(len(w.out)))
		w.pending = false
	}
}

// enlist makes work wait in a line.
func (e *Engine) startTimeout(w *work, l *timeouts) {
	w.startTimeout(l, e.now())
	if w.queue != nil {
		e.wakeAt(w.until)
	}
}

// wakeAt has the timer ring at a time since the engine's start, or before: to ring
// for nobody costs less than to set the timer each time that somebody waits. An
// alarm of 0 is none.
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
