package epoll

import (
	"bytes"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/session"
)

// answer writes the reply, as far as the socket takes it, and does what comes
// after.
func (e *Engine) answer(c *socket, res session.Result) {
	w := c.work
	w.after, w.err, w.shared = res.Verdict, res.Err, res.Shared
	switch {
	case len(res.Reply) == 0:
		e.answered(c)
	case e.delayed.wait > 0:
		w.retain(res.Reply)
		if e.hasPlace(c) {
			e.startTimeout(w, &e.delayed)
		}
	default:
		flags := 0
		if w.after != session.Keep && w.whole {
			flags = unix.MSG_MORE
		}
		e.write(c, res.Reply, flags)
	}
}

// retain keeps the bytes of a reply that are not written yet.
func (w *work) retain(b []byte) {
	if !w.shared {
		b, w.shared = bytes.Clone(b), true
	}
	w.out = b
}

// write writes a reply. With MSG_MORE the connection's end follows it in the same
// segment: only right after the request, since something else that has arrived by then
// would make the end a reset, and the reply be lost.
func (e *Engine) write(c *socket, b []byte, flags int) {
	w := c.work
	n, errno := send(int(c.fd), b, flags)
	switch errno {
	case 0:
		e.notPending(w)
		w.out = nil
		e.measure(w)
		e.answered(c)
	case unix.EAGAIN:
		e.pend(c, b[n:])
	default:
		e.report.WriteErrors.Add(1)
		e.unanswered(c, errno)
	}
}

// flush goes on with a reply that did not fit, or that WriteDelay delayed.
func (e *Engine) flush(c *socket) { e.write(c, c.work.out, 0) }

// pend has the rest of a reply that did not fit wait until the peer reads: flush then writes
// on where this stopped. Its time-out starts with the reply's first byte. A connection that
// is closed meanwhile, for whatever reason, is reset: see finish.
func (e *Engine) pend(c *socket, rest []byte) {
	w := c.work
	if w.pending {
		e.table.Pending.Add(-int64(len(w.out) - len(rest)))
		w.out = rest
		return
	}
	w.retain(rest)
	w.stopTimeout()
	w.pending = true
	e.table.Pending.Add(int64(len(rest)))
	if !e.hasPlace(c) {
		return
	}
	if !e.watch(c, interest|unix.EPOLLOUT) {
		e.unanswered(c, engine.ErrLimit)
		return
	}
	e.startTimeout(w, &e.writing)
	for v := e.table.SlowVictim(c); v != nil; v = e.table.SlowVictim(c) {
		e.evictVictim(v, places.LimitPending)
	}
}

// answered does what comes after the reply.
func (e *Engine) answered(c *socket) {
	w := c.work
	switch w.after {
	case session.Keep:
		e.park(c)
		return
	case session.StopDaemon:
		e.log.Warn("killed by a KILL_REQ", "remote", c.remoteAddr())
		e.finish(c, nil)
		e.stop(engine.ErrKilled)
		return
	}
	e.finish(c, w.err)
}

// park leaves a kept connection to epoll. One that takes further requests has another
// turn first: for bytes that have arrived meanwhile no event fires again.
func (e *Engine) park(c *socket) {
	w := c.work
	if w.session.Ended() { // the peer closed, or the name was stopped, before the reply was written
		e.finish(c, nil)
		return
	}
	state := report.StateRefused
	if w.session.Holds() {
		state = report.StateRegistered
	}
	moved := w.moved
	if c.More {
		w.moved = false
		w.stopTimeout()
		e.again = append(e.again, c.Owner)
	} else {
		e.endWork(c)
	}
	e.table.EndRequest(c)
	if moved {
		e.report.State(c, state)
	}
	e.stopIfDrained()
}

// measure counts how long a reply took that is written now.
func (e *Engine) measure(w *work) {
	if e.config.MeasureLatency {
		e.tick()
		e.report.Latencies.Add(e.looked - w.asked)
	}
}
