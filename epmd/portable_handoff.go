package epmd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	saved "github.com/goepmd/goepmd/registry/state"
)

// stillness is a time in which the engine stands still: every goroutine of a listener
// or a connection is woken up by a deadline, and waits until it is over.
type stillness struct {
	parked int
	quiet  chan struct{} // closed when all wait
	over   chan struct{} // closed at its end
	gone   bool          // everything is another's; written before over is closed
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// wokenUp says that an accept failed for no other reason than that the engine is, or
// just was, to stand still.
func wokenUp(ln net.Listener, err error) bool {
	_, ok := ln.(deadliner)
	return ok && errors.Is(err, os.ErrDeadlineExceeded)
}

// wokenUp says so of a read.
func (c *conn) wokenUp(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	now, e := time.Now(), c.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ending && !c.begun && !now.Before(e.silentEnd) {
		return false
	}
	d := c.session.Deadline()
	return d.IsZero() || now.Before(d)
}

// park waits while the engine stands still. It says no if everything is another's then.
func (e *portable) park() bool {
	e.mu.Lock()
	s := e.still
	if s == nil {
		e.mu.Unlock()
		return true
	}
	s.parked++
	e.quieten()
	e.mu.Unlock()
	<-s.over
	return !s.gone
}

// quieten notes when all wait; e.mu is held.
func (e *portable) quieten() {
	if s := e.still; s != nil && s.parked == e.live {
		closeOnce(s.quiet)
	}
}

// awaitMotion waits for the end of a stillness, if there is one.
func (e *portable) awaitMotion() {
	e.mu.Lock()
	s := e.still
	e.mu.Unlock()
	if s != nil {
		<-s.over
	}
}

func (e *portable) handoff(give func(*held) error) error {
	s, err := e.standStill()
	if err != nil {
		return err
	}
	gone := false
	defer func() { e.move(s, gone) }()
	late := time.NewTimer(HandoffPatience)
	defer late.Stop()
	select {
	case <-s.quiet:
	case <-e.stopped:
		return ErrServerClosed
	case <-late.C:
		return fmt.Errorf("requests under way, or hooks, took longer than %v", HandoffPatience)
	}
	e.handing.Lock()
	defer e.handing.Unlock()
	h, err := e.export()
	if err != nil {
		return err
	}
	if err := give(h); err != nil {
		return err
	}
	gone = true
	return nil
}

// standStill wakes everybody up, to wait.
func (e *portable) standStill() (*stillness, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.ending:
		return nil, ErrServerClosed
	case e.still != nil:
		return nil, errors.New("another handover is under way")
	}
	for _, ln := range e.listeners {
		if _, err := fdOf(ln); err != nil {
			return nil, err
		}
	}
	s := &stillness{quiet: make(chan struct{}), over: make(chan struct{})}
	e.still = s
	for _, ln := range e.listeners {
		_ = ln.(deadliner).SetDeadline(longAgo) // it fails on a closed one alone
	}
	for _, c := range e.conns {
		_ = c.net.SetDeadline(longAgo) // likewise
	}
	e.quieten()
	return s, nil
}

// deadliner is a listener that can be woken up.
type deadliner interface{ SetDeadline(time.Time) error }

// acceptBy has a listener accept without a deadline, unless it is to stand still.
func (e *portable) acceptBy(ln net.Listener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var until time.Time
	if e.still != nil {
		until = longAgo
	}
	_ = ln.(deadliner).SetDeadline(until) // it fails on a closed one alone
}

// move ends a stillness: everything goes on, or is another's.
func (e *portable) move(s *stillness, gone bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.still = nil
	s.gone = gone
	if gone {
		e.ending, e.stopping, e.err = true, true, ErrHandedOver
		for _, ln := range e.listeners {
			if u, ok := ln.(*net.UnixListener); ok {
				u.SetUnlinkOnClose(false)
			}
		}
		closeAll(e.listeners)
		e.listeners = nil
		close(e.stopped)
	}
	close(s.over)
}

// letGo closes this process's descriptor of a connection that is another's now, and
// says nothing to the other end.
func (c *conn) letGo() {
	c.tell(StateHandedOver)
	_ = c.net.Close() // nothing is lost in it
	e := c.engine
	e.mu.Lock()
	e.taken(c)
	e.forget(c)
	e.mu.Unlock()
}

// fdOf is the descriptor of a listener or a connection. It stays the one that it is
// while the engine stands still.
func fdOf(of any) (int, error) {
	switch of.(type) {
	case *net.TCPListener, *net.UnixListener, *net.TCPConn, *net.UnixConn:
	default:
		return -1, fmt.Errorf("%w: a %T cannot be handed over: what it knows of its connection is this process's alone", ErrHandoff, of)
	}
	raw, err := of.(syscall.Conn).SyscallConn()
	if err != nil {
		return -1, err
	}
	fd := -1
	err = raw.Control(func(n uintptr) { fd = int(n) })
	return fd, err
}

// export is all that the engine holds, which stands still. Its owners are numbered
// anew, since these numbers grow without an end, and the other engine's are places.
func (e *portable) export() (*held, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ending {
		return nil, ErrServerClosed
	}
	h := new(held)
	for _, ln := range e.listeners {
		fd, err := fdOf(ln)
		if err != nil {
			return nil, err
		}
		h.listeners = append(h.listeners, fd)
	}
	numbers := make(map[registry.Owner]registry.Owner, len(e.conns))
	add := func(c *conn) error {
		fd, err := fdOf(c.net)
		if err != nil {
			return err
		}
		k := c.stand()
		k.Owner = registry.Owner(len(h.conns) + 1)
		numbers[c.owner] = k.Owner
		h.add(k, fd)
		return nil
	}
	for _, c := range e.conns {
		if !c.registered {
			continue
		}
		if err := add(c); err != nil {
			return nil, err
		}
	}
	for _, first := range []*conn{e.table.refused.first, e.table.unfinished.first} {
		for c := first; c != nil; c = c.next {
			if err := add(c); err != nil {
				return nil, err
			}
		}
	}
	h.Names = e.registry.Snapshot()
	for i := range h.Names.Nodes {
		n := &h.Names.Nodes[i]
		n.Owner = numbers[n.Owner]
		for j := range n.Transports {
			n.Transports[j].Owner = numbers[n.Transports[j].Owner]
		}
	}
	return h, nil
}

// stand is where a connection stands.
func (c *conn) stand() saved.Conn {
	k := saved.Conn{Phase: saved.Reading, More: c.more, In: c.session.Partial(), Out: c.out}
	if tcp, ok := c.net.RemoteAddr().(*net.TCPAddr); ok {
		k.Remote = tcp.AddrPort()
	}
	if d := c.session.Deadline(); !d.IsZero() {
		k.Age = c.engine.limits.packetTimeout - time.Until(d)
	}
	switch {
	case len(c.out) > 0 && c.after == session.StopDaemon:
		k.Phase = saved.Stopping
	case len(c.out) > 0 && c.after == session.Close || c.session.Ended():
		k.Phase = saved.Closing
	case c.registered:
		k.Phase = saved.Registered
	case c.queued == queuedRefused:
		k.Phase = saved.Refused
	}
	return k
}

func (e *portable) takeUp(lns []net.Listener, h *held, begin func() error) error {
	if err := e.add(lns); err != nil {
		closeAll(lns)
		closeFiles(h.conns)
		return err
	}
	conns, err := e.takeIn(h)
	if err == nil {
		err = begin()
	}
	if err != nil {
		e.abandon(lns, conns, err)
		return err
	}
	e.goOn(conns)
	e.acceptAll(lns)
	return nil
}

// abandon ends the engine without a word to those at the other end of what it was to
// take up.
func (e *portable) abandon(lns []net.Listener, conns []*taken, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ending, e.stopping, e.err = true, true, err
	closeAll(e.listeners)
	e.listeners = nil
	for range lns {
		e.live--
		e.wg.Done()
	}
	for _, t := range conns {
		_ = t.conn.net.Close() // it is another's
		e.forget(t.conn)
		e.live--
		e.wg.Done()
	}
	close(e.stopped)
	e.watch.close()
	e.spare.lend()
}

// taken is a connection that is taken up, and where it stands.
type taken struct {
	conn *conn
	at   saved.Conn
}

// takeIn gives the connections of another engine their places, and touches none of
// them. If it fails, they are closed.
func (e *portable) takeIn(h *held) ([]*taken, error) {
	if h == nil {
		return nil, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var ts []*taken
	owners := make(map[registry.Owner]bool)
	for _, k := range h.Conns {
		if owners[k.Owner] {
			closeFiles(h.conns)
			return nil, errOwners
		}
		owners[k.Owner] = true
	}
	for i, k := range h.Conns {
		f := os.NewFile(uintptr(h.conns[i]), "connection")
		nc, err := net.FileConn(f)
		_ = f.Close()   // there is another one now
		if err != nil { // it has ended
			e.registry.Release(k.Owner, registry.ReasonClosed)
			continue
		}
		c := &conn{engine: e, net: nc}
		c.owner, c.remote = k.Owner, k.Remote.Addr()
		if !c.remote.IsValid() {
			c.remote = addrOf(nc.RemoteAddr())
		}
		e.last = max(e.last, c.owner)
		c.begun = k.Phase != saved.Reading || len(k.In) > 0
		e.conns[c.owner] = c
		e.table.add(c)
		switch k.Phase {
		case saved.Registered, saved.Refused:
			holds := k.Phase == saved.Registered
			c.session = e.daemon.Resume(c.owner, holds)
			if c.more = k.More; k.More {
				c.session = e.daemon.ResumeAlive3(c.owner, c, holds)
			}
			e.table.keep(c, holds)
		case saved.Reading:
			c.session = e.daemon.Open(c.owner, c, time.Now().Add(-k.Age))
		case saved.Closing, saved.Stopping:
			c.session = e.daemon.Resume(c.owner, false)
			c.session.End(registry.ReasonClosed)
		}
		e.wg.Add(1)
		e.live++
		ts = append(ts, &taken{c, k})
	}
	return ts, nil
}

// goOn goes on with the connections of another engine.
func (e *portable) goOn(ts []*taken) {
	if len(ts) == 0 {
		return
	}
	holders := holders(e.registry.Snapshot())
	for _, t := range ts {
		c := t.conn
		if t.at.Phase == saved.Registered && !holders[c.owner] {
			e.evict([]registry.Owner{c.owner})
		}
		go c.goOn(t.at)
	}
}

// goOn sees a connection through from where it stands.
func (c *conn) goOn(k saved.Conn) {
	e := c.engine
	c.tell(stateOf(k.Phase))
	after := session.Keep
	switch k.Phase {
	case saved.Reading:
		c.see(c.requestFrom(k.In))
		return
	case saved.Registered:
		e.watch.add(c.net, c.owner, k.More)
		keepAlive(c.net, e.limits.keepAlive)
	case saved.Closing:
		after = session.Close
	case saved.Stopping:
		after = session.StopDaemon
	}
	if len(k.Out) > 0 {
		if err := c.write(k.Out, after); err != nil {
			c.see(err)
			return
		}
	}
	if err := c.obeyed(after, nil); after != session.Keep {
		c.see(err)
		return
	}
	e.mu.Lock()
	e.leave(c)
	e.mu.Unlock()
	var scratch [16]byte
	if err := c.take(k.In, scratch[:]); err != nil {
		c.see(err)
		return
	}
	go c.stay()
}

// take goes on with what has arrived elsewhere: a part of a request.
func (c *conn) take(in, scratch []byte) error {
	for len(in) > 0 {
		n := min(len(in), c.session.Want())
		now := time.Now()
		res, ok := c.feed(now, in[:n], scratch)
		switch {
		case !ok:
			return errLimit
		case res.Verdict != session.More:
			return c.obey(res, now)
		}
		in = in[n:]
	}
	return nil
}

// requestFrom goes on with a request of which a part arrived elsewhere.
func (c *conn) requestFrom(in []byte) error {
	if err := c.take(in, nil); err != nil || c.session.Kept() || c.session.Ended() {
		return err
	}
	return c.request()
}

func (e *portable) file(o registry.Owner) (*os.File, error) {
	e.mu.Lock()
	c := e.conns[o]
	e.mu.Unlock()
	if c == nil {
		return nil, nil
	}
	if _, err := fdOf(c.net); err != nil {
		return nil, err
	}
	// Not its File, whose Fd would have the socket block, for this server too.
	fd, err := duplicate(c.net.(syscall.Conn))
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "connection"), nil
}
