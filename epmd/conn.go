package epmd

import (
	"container/list"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// conn is one connection of the portable engine.
type conn struct {
	engine  *portable
	net     net.Conn
	owner   registry.Owner
	remote  netip.Addr
	session session.Session
	small   [16]byte // to read into while it is kept

	// Under the engine's lock:
	queue      *queue
	place      *list.Element
	registered bool  // counted as such
	underWay   bool  // a shutdown waits for it
	begun      bool  // a part of a request has arrived
	busy       bool  // a chunk is worked on: must not be closed for a limit
	cause      cause // why this side closes it
}

// cause is why this side closes a connection before its time.
type cause uint8

const (
	causeNone cause = iota
	causeLimit
	causeStopped  // its name was stopped by force
	causeShutdown // the server ends
)

var (
	errLimit    = errors.New("closed for a limit")
	errStopped  = errors.New("its name was stopped")
	errTimedOut = errors.New("no complete request in time")
	errPartial  = errors.New("ended in the middle of a request")
)

// Remote and Local make it a session.Peer.
func (c *conn) Remote() netip.Addr { return c.remote }
func (c *conn) Local() netip.Addr  { return addrOf(c.net.LocalAddr()) }

// buffers are lent to connections while their request arrives.
type buffers struct {
	in    [wire.MaxPacketLen + 1]byte // the most that a session wants
	reply [session.MaxReplyLen]byte
}

// drainTime bounds the wait for bytes that have arrived already.
const drainTime = 5 * time.Millisecond

var bufferPool = sync.Pool{New: func() any { return new(buffers) }}

// serve sees a connection through, from its first byte to its end.
func (c *conn) serve() {
	defer c.engine.wg.Done()
	c.tell(StateNew)
	err := c.request()
	if err == nil && c.session.Kept() {
		err = c.wait()
	}
	c.finish(err)
}

// request reads and answers the request. A nil error means that it was
// answered in full.
func (c *conn) request() error {
	b := bufferPool.Get().(*buffers)
	defer bufferPool.Put(b)
	for {
		c.arm()
		n, err := c.net.Read(b.in[:min(c.session.Want(), len(b.in))])
		if n > 0 {
			res, ok := c.feed(b.in[:n], b.reply[:])
			switch {
			case !ok:
				return errLimit
			case res.Verdict != session.More:
				return c.obey(res)
			}
		}
		if err != nil {
			return err
		}
	}
}

// feed gives a chunk to the session, and brings the engine up to date with what
// it led to, before anybody is told. It says no if the connection has to go.
func (c *conn) feed(chunk, scratch []byte) (session.Result, bool) {
	e := c.engine
	if !e.claim(c) {
		return session.Result{}, false
	}
	res := c.session.Feed(time.Now(), chunk, scratch)
	if c.session.Holds() {
		e.watch.add(c.net, c.owner)
	}
	return res, e.settle(c, res)
}

// arm sets the time until which the next read may wait. The lock keeps it in
// order with a shutdown, which shortens that time.
func (c *conn) arm() {
	e := c.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ending && !c.begun {
		c.expire(e.silentEnd)
	} else {
		c.expire(c.session.Deadline())
	}
}

// expire sets the end of reading; the zero time is none. That it fails on a
// connection that is closed, the read will tell.
func (c *conn) expire(at time.Time) { _ = c.net.SetReadDeadline(at) }

// obey does what the session says.
func (c *conn) obey(res session.Result) error {
	e := c.engine
	e.counters.countResult(res)
	c.logResult(res)
	if hook := e.server.OnRequest; hook != nil {
		hook(Request{Conn: c.info(), Tag: res.Tag, Name: string(res.Name), Verdict: res.Verdict, ReplyLen: len(res.Reply), Err: res.Err})
	}
	e.evict(res.Evict)
	if len(res.Reply) > 0 {
		if err := c.write(res.Reply); err != nil {
			return err
		}
	}
	switch res.Verdict {
	case session.Close:
		return res.Err
	case session.StopDaemon:
		e.log.Warn("killed by a KILL_REQ", "remote", c.net.RemoteAddr())
		e.stop(ErrKilled)
	}
	return nil
}

// write sends a reply. If it cannot, whatever was registered is unregistered.
func (c *conn) write(b []byte) error {
	c.engine.sleep(c.engine.server.WriteDelay)
	if d := c.engine.limits.writeTimeout; d > 0 {
		_ = c.net.SetWriteDeadline(time.Now().Add(d)) // that it failed, the write tells
	}
	_, err := c.net.Write(b)
	if err != nil {
		c.engine.counters.writeErrors.Add(1)
		c.session.End(registry.ReasonUnanswered)
	}
	return err
}

// wait holds a kept connection until it ends.
func (c *conn) wait() error {
	state := StateRefused
	if c.session.Holds() {
		state = StateRegistered
	}
	c.engine.mu.Lock()
	c.engine.leave(c)
	c.engine.mu.Unlock()
	c.tell(state)
	c.expire(time.Time{})
	for {
		n, err := c.net.Read(c.small[:])
		if n > 0 {
			err := c.obey(c.session.Feed(time.Now(), c.small[:n], nil))
			if n == len(c.small) {
				c.drain()
			}
			return err
		}
		if err != nil {
			return err
		}
	}
}

// drain takes as much as one read of OTP's would have taken of what has arrived,
// so that the connection ends like there, and not by a reset.
func (c *conn) drain() {
	b := bufferPool.Get().(*buffers)
	defer bufferPool.Put(b)
	c.expire(time.Now().Add(drainTime))
	_, _ = c.net.Read(b.in[:wire.MaxPacketLen+1-len(c.small)]) // gone either way
}

// cut closes the connection under its goroutine, which then finishes it. Where
// closing may take a while, as TLS says goodbye, nobody waits for it.
func (c *conn) cut() {
	switch c.net.(type) {
	case *net.TCPConn, *net.UnixConn:
		_ = c.net.Close() // whoever used it has nothing more to lose
	default:
		c.engine.wg.Go(func() { _ = c.net.Close() })
	}
}

// finish ends the session, then closes, so that who sees the end of the
// connection finds the name free. It leaves the table last: until then the
// engine can tell others that the connection is gone.
func (c *conn) finish(err error) {
	e := c.engine
	e.mu.Lock()
	why := c.cause
	e.mu.Unlock()
	reason := registry.ReasonClosed
	if why == causeShutdown {
		reason = registry.ReasonShutdown
	}
	err = c.explain(err, why)
	c.session.End(reason)
	c.cut()
	e.mu.Lock()
	e.table.remove(c)
	e.leave(c)
	e.mu.Unlock()
	if e.log.Enabled(context.Background(), slog.LevelDebug) {
		e.log.Debug("connection closed", "remote", c.net.RemoteAddr(), "owner", c.owner, "err", err)
	}
	c.tell(StateClosed)
}

// explain says why the connection ends, and counts it; nil is in good order.
func (c *conn) explain(err error, why cause) error {
	switch {
	case why == causeShutdown:
		return ErrServerClosed
	case why == causeStopped:
		return errStopped
	case why == causeLimit:
		return errLimit
	case errors.Is(err, os.ErrDeadlineExceeded) && c.silentAtEnd():
		return ErrServerClosed
	case errors.Is(err, os.ErrDeadlineExceeded) && !c.session.Ended():
		c.engine.counters.timedOut.Add(1)
		return errTimedOut
	case c.session.Begun():
		c.engine.counters.partial.Add(1)
		return errPartial
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

// silentAtEnd says that the server ends, and the connection has sent nothing.
func (c *conn) silentAtEnd() bool {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	return c.engine.ending && !c.begun
}

// tell calls the hook for a state.
func (c *conn) tell(s ConnState) {
	if hook := c.engine.server.ConnState; hook != nil {
		hook(c.info(), s)
	}
}

func (c *conn) info() Conn {
	return Conn{Owner: c.owner, Remote: c.net.RemoteAddr(), Local: c.net.LocalAddr()}
}

// logResult writes what a request led to.
func (c *conn) logResult(res session.Result) {
	log := c.engine.log
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	what := "request"
	if res.Tag != 0 {
		what = res.Tag.String()
	}
	log.Debug(what, "remote", c.net.RemoteAddr(), "owner", c.owner, "name", string(res.Name), "verdict", res.Verdict.String(), "reply_bytes", len(res.Reply), "err", res.Err)
}

// countResult counts what a request led to.
func (c *counters) countResult(res session.Result) {
	if res.Tag != 0 {
		c.requests[res.Tag].Add(1)
	}
	if res.Err == nil {
		return
	}
	var refusal registry.Refusal
	var fault wire.Fault
	switch {
	case errors.As(res.Err, &refusal):
		c.refusals[refusal].Add(1)
	case errors.As(res.Err, &fault):
		c.faults[fault].Add(1)
	case errors.Is(res.Err, session.ErrNotLocal), errors.Is(res.Err, session.ErrNotRelaxed):
		c.denied.Add(1)
	}
}
