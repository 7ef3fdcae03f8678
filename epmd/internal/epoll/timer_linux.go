package epoll

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
)

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

// enlist makes work wait in a line.
func (e *Engine) startTimeout(w *work, l *timeouts) {
	w.startTimeout(l, e.now())
	if w.queue != nil {
		e.wakeAt(w.until)
	}
}

// ring sees to all whose time has come.
func (e *Engine) ring() {
	var count [8]byte
	_, _ = unix.Read(e.timer, count[:]) // it only says how often
	e.alarm = 0
	now := e.now()
	for w := e.reading.expired(now); w != nil; w = e.reading.expired(now) {
		e.timeOut(w)
	}
	for w := e.writing.expired(now); w != nil; w = e.writing.expired(now) {
		e.report.WriteErrors.Add(1)
		e.unanswered(w.socket, engine.ErrNotTaken)
	}
	for w := e.delayed.expired(now); w != nil; w = e.delayed.expired(now) {
		w.stopTimeout()
		e.flush(w.socket)
	}
	if e.ending && now >= e.silentEnd {
		e.endSilent()
	}
	e.resumePaused(now)
	e.probeYoung(now)
	for _, l := range []*timeouts{&e.reading, &e.writing, &e.delayed} {
		if l.first != nil {
			e.wakeAt(l.first.until)
		}
	}
	if e.ending && now < e.silentEnd {
		e.wakeAt(e.silentEnd)
	}
}

// expired is the first of a line if its time has come.
func (l *timeouts) expired(now time.Duration) *work {
	if l.first != nil && l.first.until <= now {
		return l.first
	}
	return nil
}

// timeOut closes a connection that has not completed its request in time.
func (e *Engine) timeOut(w *work) {
	if e.ending && !w.socket.Begun {
		e.finish(w.socket, engine.ErrClosed)
		return
	}
	e.report.TimedOut.Add(1)
	e.finish(w.socket, engine.ErrTimedOut)
}

// endSilent closes what has sent nothing until the end of the server.
func (e *Engine) endSilent() {
	e.slots.all(func(c *socket) {
		if c.UnderWay && !c.Begun {
			e.finish(c, engine.ErrClosed)
		}
	})
}
