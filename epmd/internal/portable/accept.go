package portable

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// listener is a listener and the call of Serve that it belongs to.
type listener struct {
	net.Listener
	serving *engine.Serving
}

// accept takes the connections of a listener in, until the engine ends.
func (e *Engine) accept(ln *listener) {
	defer e.wg.Done()
	pause := engine.ShortestPause
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			pause = engine.ShortestPause
			if !e.spare.Reserve() { // it was accepted in its place
				e.report.Accepted.Add(1)
				e.report.LimitHit(places.LimitConns)
				_ = nc.Close() // it has begun nothing
				e.spare.Reserve()
				continue
			}
			e.arriving.Add(1)
			e.sleep(e.config.AcceptDelay)
			e.open(nc)
			e.arriving.Add(-1)
		case e.hasEnded():
			return
		case !mayPass(err):
			e.listenerFailed(ln, err)
			return
		default:
			e.report.AcceptFailed(ln.Addr(), err)
			// For want of files somebody who holds no registration has to go.
			if sockets.IsShort(err) && !e.evictOne() && e.spare.Release() {
				continue
			}
			e.sleep(pause)
			pause = min(2*pause, engine.LongestPause)
		}
	}
}

// mayPass says whether accepting may succeed again after an error: those of the system may,
// but for what says that the socket itself is no good, and those that a listener calls
// temporary, such as a client's bad header.
func mayPass(err error) bool {
	if errors.Is(err, net.ErrClosed) {
		return false
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return !sockets.IsBroken(errno)
	}
	var temporary interface{ Temporary() bool } // of net.Error, as net/http asks too
	return errors.As(err, &temporary) && temporary.Temporary()
}

// listenerFailed closes a listener that failed for good. The engine ends with the last one.
func (e *Engine) listenerFailed(l *listener, why error) {
	e.log.Error("a listener failed for good", "address", l.Addr(), "err", why)
	why = fmt.Errorf("epmd: cannot accept on %s: %w", l.Addr(), why)
	_ = l.Close() // there is nothing to lose in it
	e.mu.Lock()
	if e.ending {
		e.mu.Unlock()
		return
	}
	e.listeners = slices.DeleteFunc(e.listeners, func(other *listener) bool { return other == l })
	last := len(e.listeners) == 0
	if last {
		e.end(why) // so that no other Serve begins meanwhile
	} else {
		l.serving.ListenerFailed(why)
	}
	e.mu.Unlock()
	if last {
		e.stop(why)
	}
}

// sleep waits, but no longer than the engine lives.
func (e *Engine) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-e.stopped:
	}
}

func (e *Engine) hasEnded() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ending
}

// open begins to serve a connection, if the limits have room for it.
func (e *Engine) open(nc net.Conn) {
	e.report.Accepted.Add(1)
	c := &conn{engine: e, net: nc}
	c.Addr = sockets.AddrOf(nc.RemoteAddr())
	e.mu.Lock()
	hit, victim, ok := e.admit(c)
	if ok {
		c.session = e.daemon.Open(c.Owner, c, time.Now())
		e.wg.Add(1)
	}
	e.mu.Unlock()
	e.report.LimitHit(hit)
	if victim != nil {
		victim.cutDropped()
	}
	if !ok {
		c.cut()
		return
	}
	go c.serve()
}
