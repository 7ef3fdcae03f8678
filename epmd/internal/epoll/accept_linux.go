package epoll

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// acceptBatch is how many connections of one listener are served before others
// have their turn.
const acceptBatch = 64

// acceptAll accepts what waits at the listeners.
func (e *Engine) acceptAll() {
	if !e.unaccepted {
		return
	}
	e.unaccepted = false
	if e.ending {
		return
	}
	for _, l := range e.listeners {
		for n := 0; l.ready && n < acceptBatch && !e.ending; n++ {
			// The sweep before an answer tells whether there are more.
			l.ready = false
			e.accept(l)
		}
		e.unaccepted = e.unaccepted || l.ready
	}
}

// acceptAllEarly begins to accept on new listeners.
func (e *Engine) acceptAllEarly(opened []*listener) {
	for _, l := range opened {
		if e.ending {
			return
		}
		e.log.Debug("listening", "address", l.addr)
		e.acceptEarly(l)
	}
}

// acceptEarly accepts the connections that came before the listener was told how to
// probe them: at most as many as can have waited.
func (e *Engine) acceptEarly(l *listener) {
	l.early = true
	for n := 0; l.early && n < maxBacklog && l.paused == 0 && l.fd >= 0 && !e.ending; n++ {
		e.accept(l)
	}
	l.early = false
}

// maxBacklog is more connections than can wait at a listener.
const maxBacklog = 1 << 16

// accept accepts one connection.
func (e *Engine) accept(l *listener) {
	fd, errno := accept(l.fd, &e.from)
	if errno != 0 {
		e.notAccepted(l, errno)
		return
	}
	l.pause = 0
	if d := e.config.AcceptDelay; d > 0 {
		l.waiting, l.from = fd, e.from
		e.pauseListener(l, d)
		return
	}
	e.open(l, fd, &e.from)
}

// notAccepted does what the error of an accept asks for.
func (e *Engine) notAccepted(l *listener, errno unix.Errno) {
	switch {
	case errno == unix.EAGAIN:
		l.early = false
	case errno == unix.EINTR:
		l.ready = true
	case sockets.IsBroken(errno):
		e.listenerFailed(l, errno)
	case sockets.IsShort(errno):
		e.report.AcceptFailed(l.addr, errno)
		e.acceptShort(l)
	default: // it may come back each time, and leave the connection waiting
		e.report.AcceptFailed(l.addr, errno)
		e.backOff(l)
	}
}

// backOff leaves a listener alone for a while, longer after each failure in a row.
func (e *Engine) backOff(l *listener) {
	l.pause = min(max(2*l.pause, engine.ShortestPause), engine.LongestPause)
	e.pauseListener(l, l.pause)
}

// acceptShort is accept when the process has no descriptor left: a connection without a
// registration is closed to make room. If there is none, the newcomer is accepted by way
// of the spare descriptor and closed at once, since otherwise it would wait without a
// word.
func (e *Engine) acceptShort(l *listener) {
	if n := e.table.Len(); e.fresh.len() > 0 {
		if e.watchAllFresh(); e.table.Len() < n {
			l.ready = true
			return
		}
	}
	if v := e.table.Victim(); v != nil {
		e.evictVictim(v, places.LimitConns)
		l.ready = true
		return
	}
	if e.spare.Release() {
		fd, errno := accept(l.fd, &e.from)
		if errno == 0 && e.spare.Reserve() { // there is room again
			e.open(l, fd, &e.from)
			return
		}
		if errno == 0 {
			e.report.Accepted.Add(1)
			e.report.LimitHit(places.LimitConns)
			closeFile(fd)
			l.ready = true
		}
		e.spare.Reserve()
		if errno == 0 || errno == unix.EAGAIN {
			return
		}
	}
	e.backOff(l)
}

// resumePaused has the listeners accept again whose pause is over.
func (e *Engine) resumePaused(now time.Duration) {
	for _, l := range e.listeners {
		switch {
		case l.paused == 0:
		case l.paused > now:
			e.wakeAt(l.paused)
		default:
			l.paused = 0
			if fd := l.waiting; fd >= 0 {
				l.waiting = -1
				e.open(l, fd, &l.from)
			}
			if l.fd >= 0 {
				e.watchListener(l, unix.EPOLLIN)
			}
		}
	}
}

// open begins to serve an accepted connection, if the limits have room for it.
func (e *Engine) open(l *listener, fd int, from *address) {
	e.report.Accepted.Add(1)
	remote := from.addrPort()
	hit, ok := e.admits(remote.Addr())
	var c *socket
	if ok && !e.ending {
		if c = e.slots.take(); c == nil {
			hit = places.LimitConns
		}
	}
	if c == nil {
		e.report.LimitHit(hit)
		closeFile(fd)
		return
	}
	c.fd, c.Addr, c.port = int32(fd), remote.Addr(), remote.Port()
	w := e.startWork(c)
	w.session = e.daemon.Open(c.Owner, w, e.started) // the engine's timeouts take the place of its deadline
	w.early = l.early || e.config.AcceptDelay > 0
	e.report.State(c, report.StateNew)
	e.read(c)
}
