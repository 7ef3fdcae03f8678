package portable

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// conn is one connection of the portable engine.
type conn struct {
	engine  *Engine
	net     net.Conn
	session session.Session
	small   [16]byte    // to read into while it is kept
	writing atomic.Bool // a reply, of which some may be sent
	reads   atomic.Bool // it is kept, and its goroutine waits to read
	ends    atomic.Bool // its close ends it for all processes that have it

	// The engine's lock guards what follows, but for the owner and the peer's address,
	// which stay as they are.
	places.Place[*conn]
	pending   int           // bytes that are being written
	answering bool          // it is kept, and its reply is not written yet
	woken     chan struct{} // has something for it while it waits for a name; else nil
}

// Unsent is how many bytes of the reply the peer may not have read yet.
func (c *conn) Unsent() int { return c.pending }

// Remote and Local make conn a session.Peer.
func (c *conn) Remote() netip.Addr { return c.Addr }
func (c *conn) Local() netip.Addr  { return sockets.AddrOf(c.net.LocalAddr()) }

// buffers are borrowed by connections while their request arrives.
type buffers struct {
	in    [wire.MaxPacketLen + 1]byte // the most that a session wants
	reply [session.MaxReplyLen]byte
}

var bufferPool = sync.Pool{New: func() any { return new(buffers) }}

// serve sees a connection through, from its first byte to its end.
func (c *conn) serve() {
	c.engine.report.State(c, report.StateNew)
	err := c.request()
	if err == nil && c.session.Kept() {
		c.enterKept()
		go c.stay() // for years perhaps, so on a stack that has not grown
		return
	}
	c.finish(err)
	c.engine.wg.Done()
}

// stay serves a kept connection until it ends.
func (c *conn) stay() {
	defer c.engine.wg.Done()
	c.finish(c.wait())
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
			now := time.Now()
			res, err := c.feed(now, b.in[:n], b.reply[:])
			switch {
			case err != nil:
				return err
			case res.Verdict != session.More:
				return c.obey(res, now)
			}
		}
		if err != nil {
			return err
		}
	}
}

// feed gives a chunk to the session, and brings the engine up to date with what
// it led to, before anybody is told. The error says why the connection has to go.
func (c *conn) feed(now time.Time, chunk, scratch []byte) (session.Result, error) {
	e := c.engine
	if !e.beginChunk(c) {
		return session.Result{}, engine.ErrLimit
	}
	res := c.session.Feed(now, chunk, scratch)
	err := c.settle(res)
	if err == nil && res.Verdict == session.Wait {
		return c.await(res.Name, scratch)
	}
	return res, err
}

// settle brings the engine up to date with what the session says. The error says why the
// connection has to go.
func (c *conn) settle(res session.Result) error {
	e := c.engine
	if res.Verdict == session.Keep && c.session.Holds() {
		e.watch.add(c.net, c.Owner, c.session.TakesMore())
		sockets.KeepAlive(c.net, e.config.Limits.KeepAlive)
	}
	err := e.endChunk(c, res)
	if errors.Is(err, session.ErrNoRoom) {
		e.report.Request(c, c.session.TurnAway(res))
	}
	return err
}

// graceSteps is in how many steps a grace is waited for. Where the machine did not let this
// process run for some milliseconds, timers ring before anybody looks for what has arrived,
// such as the end of the holder; each further step lets its goroutine see it.
//
// A holder whose goroutine is not waiting to read has more of them, at most mostSteps: the
// machine may have stopped it between writing the reply and reading, or between reading the
// end and ending the registration.
const (
	graceSteps = 10
	mostSteps  = 10 * graceSteps
)

// await waits for a name that is taken, until the session's answer is known. The error says
// why the connection has to go. Its goroutine looks at what happens on the connection
// meanwhile after the answer.
func (c *conn) await(name, scratch []byte) (session.Result, error) {
	e := c.engine
	waiters := e.config.Waiters
	e.mu.Lock()
	c.woken = make(chan struct{}, 1)
	e.mu.Unlock()
	waiters.Join(name, c.Owner, c.wake)
	defer waiters.Leave(c.Owner)
	step := (e.config.TakenGrace + graceSteps - 1) / graceSteps
	timer := time.NewTimer(step)
	defer timer.Stop()
	steps, over := 0, false
	for {
		select {
		case <-c.woken:
		case <-timer.C:
			if steps++; steps < graceSteps || steps < mostSteps && e.atWork(name) {
				timer.Reset(step)
				continue
			}
			over = true
		}
		if !e.beginChunk(c) {
			return session.Result{}, c.turnAway()
		}
		res, ending := session.Result{Verdict: session.Wait}, e.hasEnded()
		// Others are before it for a moment at most when its time is over: theirs is, too.
		if ending || waiters.First(c.Owner) {
			res = c.session.Retry(over || ending, scratch)
		}
		if err := c.settle(res); err != nil || res.Verdict != session.Wait {
			return res, err
		}
	}
}

// atWork says whether a connection that holds a name is at work: it is about to be
// answered, or has read something, or its end.
func (e *Engine) atWork(name []byte) bool {
	holders, _ := e.registry.Entry(string(name))
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(holders.Owners(), func(o registry.Owner) bool {
		c := e.conns[o]
		return c != nil && !c.reads.Load()
	})
}

// turnAway tells that a connection has to go that waits for a name, if it goes for a limit.
func (c *conn) turnAway() error {
	e := c.engine
	e.mu.Lock()
	why := c.Cause
	e.mu.Unlock()
	if why == places.CauseLimit {
		e.report.Request(c, c.session.TurnAway(c.session.Feed(time.Now(), nil, nil)))
	}
	return engine.ErrLimit
}

// wake has the goroutine look that waits for a name.
func (c *conn) wake() {
	select {
	case c.woken <- struct{}{}:
	default: // it is about to look
	}
}

// arm sets the time until which the next read may wait. It holds the lock, since a
// shutdown shortens that time.
func (c *conn) arm() {
	e := c.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.ending && !c.Spoke:
		c.expire(e.silentEnd)
	default:
		c.expire(c.session.Deadline())
	}
}

// expire sets the end of reading; the zero time is none. That it fails on a
// connection that is closed, the read will tell.
func (c *conn) expire(at time.Time) { _ = c.net.SetReadDeadline(at) }

// obey does what the session says of bytes that came at a time.
func (c *conn) obey(res session.Result, came time.Time) error {
	e := c.engine
	e.report.Request(c, res)
	e.Evict(res.Evict)
	if len(res.Reply) > 0 {
		if err := c.write(res.Reply); err != nil {
			return err
		}
		if e.config.MeasureLatency {
			e.report.Latencies.Add(time.Since(came))
		}
	}
	switch res.Verdict {
	case session.Keep:
		if !e.answered(c) {
			return engine.ErrStopped
		}
	case session.Close:
		return res.Err
	case session.StopDaemon:
		e.log.Warn("killed by a KILL_REQ", "remote", c.net.RemoteAddr())
		e.stop(engine.ErrKilled)
	}
	return nil
}

// enterKept tells the hook that a connection is answered and kept.
func (c *conn) enterKept() {
	state := report.StateRefused
	if c.session.Holds() {
		state = report.StateRegistered
	}
	c.engine.mu.Lock()
	c.engine.endRequest(c)
	c.engine.mu.Unlock()
	c.engine.report.State(c, state)
}

// wait reads a kept connection until it ends.
func (c *conn) wait() error {
	if c.session.TakesMore() {
		return c.takeMore()
	}
	c.arm() // without a deadline
	for {
		var res session.Result
		c.reads.Store(true)
		n, err := c.engine.watch.read(c.net, c.small[:], func(n int) {
			res = c.session.Feed(time.Now(), c.small[:n], nil)
		})
		c.reads.Store(false)
		if n > 0 {
			err = c.obey(res, time.Now())
			if n == len(c.small) {
				c.readRest()
			}
			return err
		}
		if err != nil {
			return err
		}
	}
}

// takeMore serves the further requests of a kept connection, until it ends. They
// are short and few: no more is set aside for them than for one that only waits.
func (c *conn) takeMore() error {
	holds := c.session.Holds()
	var reply [16]byte
	for {
		c.arm()
		c.reads.Store(true)
		n, err := c.net.Read(c.small[:min(c.session.Want(), len(c.small))])
		c.reads.Store(false)
		if n > 0 {
			now := time.Now()
			res, err := c.feed(now, c.small[:n], reply[:])
			if err != nil {
				return err
			}
			if res.Verdict != session.More {
				if err := c.obey(res, now); err != nil || res.Verdict != session.Keep {
					return err
				}
				if !holds && c.session.Holds() {
					holds = true
					c.engine.report.State(c, report.StateRegistered)
				}
			}
		}
		if err != nil {
			return err
		}
	}
}

// About makes conn a report.Subject.
func (c *conn) About() report.Conn {
	return report.Conn{Owner: c.Owner, Remote: c.net.RemoteAddr(), Local: c.net.LocalAddr()}
}
