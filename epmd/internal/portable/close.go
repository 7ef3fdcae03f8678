package portable

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// restTime bounds the wait for bytes that have arrived already.
const restTime = 5 * time.Millisecond

// readRest reads as much of what has arrived as one read of OTP's epmd would have, so
// that the close is not a reset.
func (c *conn) readRest() {
	b := bufferPool.Get().(*buffers)
	defer bufferPool.Put(b)
	c.expire(time.Now().Add(restTime))
	_, _ = c.net.Read(b.in[:wire.MaxPacketLen+1-len(c.small)]) // gone either way
}

// cut closes the connection under its goroutine, which then finishes it. The close of
// other kinds than TCP and Unix sockets may take a while, as TLS says goodbye, so nobody
// waits for it.
func (c *conn) cut() {
	if tcp, ok := c.net.(*net.TCPConn); ok && c.writing.Load() {
		// A reset: a list that ends in good order would look whole to its reader.
		_ = tcp.SetLinger(0) // it fails only on a broken connection
	}
	switch nc := c.net.(type) {
	case *net.TCPConn, *net.UnixConn:
		if c.ends.Load() {
			_ = nc.(shutter).CloseRead() // they fail on one that has ended
			_ = nc.(shutter).CloseWrite()
		}
		_ = c.net.Close() // whoever used it has nothing more to lose
	default:
		c.engine.wg.Go(func() { _ = c.net.Close() })
	}
}

// cutDropped cuts a connection that was dropped. The engine has waited for that since.
func (c *conn) cutDropped() {
	c.cut()
	c.engine.wg.Done()
}

// shutter is a connection that can be ended for all processes that have it.
type shutter interface {
	CloseRead() error
	CloseWrite() error
}

// finish ends the session, takes the connection out of the table, and then closes it, in
// this order: a peer that sees the close finds its name free and the figures right.
func (c *conn) finish(err error) {
	e := c.engine
	e.mu.Lock()
	why := c.Cause
	e.mu.Unlock()
	reason := registry.ReasonClosed
	if why == places.CauseShutdown {
		reason = registry.ReasonShutdown
	}
	err = c.explain(err, why)
	c.session.End(reason)
	c.ends.Store(e.config.Shuts(why))
	e.mu.Lock()
	e.forget(c)
	e.mu.Unlock()
	c.cut()
	if e.log.Enabled(context.Background(), slog.LevelDebug) {
		e.log.Debug("connection closed", "remote", c.net.RemoteAddr(), "owner", c.Owner, "err", err)
	}
	e.report.State(c, report.StateClosed)
}

// explain says why the connection ends, and counts it; nil is in good order.
func (c *conn) explain(err error, why places.Cause) error {
	switch {
	case why == places.CauseShutdown:
		return engine.ErrClosed
	case why == places.CauseStopped:
		return engine.ErrStopped
	case why == places.CauseLimit:
		return engine.ErrLimit
	case errors.Is(err, os.ErrDeadlineExceeded) && c.silentAtEnd():
		return engine.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded) && !c.session.Ended():
		c.engine.report.TimedOut.Add(1)
		return engine.ErrTimedOut
	case c.session.Begun():
		c.engine.report.Partial.Add(1)
		return engine.ErrPartial
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

// silentAtEnd says that the server ends, and the connection has sent nothing.
func (c *conn) silentAtEnd() bool {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	return c.engine.ending && !c.Spoke
}
