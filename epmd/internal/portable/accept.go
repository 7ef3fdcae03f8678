package portable

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// accept takes the connections of a listener in, until the engine ends.
func (e *Engine) accept(ln net.Listener) {
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
			e.log.Error("a listener failed for good", "address", ln.Addr(), "err", err)
			e.stop(fmt.Errorf("epmd: cannot accept on %s: %w", ln.Addr(), err))
			return
		default:
			// Most likely there are no more files: somebody who holds no
			// registration has to go.
			e.report.AcceptFailed(ln.Addr(), err)
			if !e.evictOne() && e.spare.Release() {
				continue
			}
			e.sleep(pause)
			pause = min(2*pause, engine.LongestPause)
		}
	}
}

// mayPass says whether accepting may succeed again after an error: those of
// the system do, but for what says that the socket itself is no good.
func mayPass(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && !errors.Is(err, net.ErrClosed) &&
		errno != syscall.EBADF && errno != syscall.EINVAL && errno != syscall.ENOTSOCK
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
		victim.cut()
	}
	if !ok {
		c.cut()
		return
	}
	go c.serve()
}
