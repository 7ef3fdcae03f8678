package epmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// portable is the engine for any net.Listener: a goroutine for each listener
// and each connection.
type portable struct {
	*state
	server *Server

	acceptWarnings throttle
	limitWarnings  throttle

	wg      sync.WaitGroup // every goroutine
	stopped chan struct{}  // closed when all connections are dropped
	drained chan struct{}  // closed when ending and no request is under way

	mu        sync.Mutex
	daemon    *session.Daemon // from the first serve on
	watch     *watch          // likewise; nil if there can be none
	listeners []net.Listener
	table     table
	ending    bool      // no more connections
	stopping  bool      // stopped is closed
	silentEnd time.Time // when ending: until when silent connections may begin
	err       error     // why it ended
}

func newPortable(s *Server, st *state) *portable {
	return &portable{
		state:   st,
		server:  s,
		stopped: make(chan struct{}),
		drained: make(chan struct{}),
		table:   newTable(st.limits),
	}
}

func (e *portable) serve(lns []net.Listener) error {
	if len(lns) == 0 {
		return errors.New("epmd: no listener to serve")
	}
	if err := e.add(lns); err != nil {
		closeAll(lns)
		return err
	}
	for _, ln := range lns {
		e.log.Debug("listening", "address", ln.Addr())
		go e.accept(ln)
	}
	<-e.stopped
	e.wg.Wait()
	e.watch.close()
	return e.err
}

// add takes the listeners in, unless the server has ended.
func (e *portable) add(lns []net.Listener) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ending {
		return e.err
	}
	if e.daemon == nil {
		e.watch = newWatch()
		e.daemon = &session.Daemon{
			Registry:            e.registry,
			Port:                e.server.port(lns),
			RelaxedCommandCheck: e.server.RelaxedCommandCheck,
			PacketTimeout:       e.limits.packetTimeout,
			TimeoutRestarts:     e.server.TimeoutRestarts,
			Sweep:               e.sweep,
		}
	}
	e.listeners = append(e.listeners, lns...)
	e.wg.Add(len(lns))
	return nil
}

// The pauses after a failed accept: long enough to let others end, short
// enough to be back soon.
const (
	shortestPause = 5 * time.Millisecond
	longestPause  = time.Second
)

func (e *portable) accept(ln net.Listener) {
	defer e.wg.Done()
	pause := shortestPause
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			pause = shortestPause
			e.sleep(e.server.AcceptDelay)
			e.open(nc)
		case e.hasEnded():
			return
		case !mayPass(err):
			e.log.Error("a listener failed for good", "address", ln.Addr(), "err", err)
			e.stop(fmt.Errorf("epmd: cannot accept on %s: %w", ln.Addr(), err))
			return
		default:
			// Most likely there are no more files: somebody who holds no
			// registration has to go.
			e.counters.acceptErrors.Add(1)
			if e.acceptWarnings.allow(time.Now()) {
				e.log.Warn("cannot accept; if files are short, raise the limit of open files", "address", ln.Addr(), "err", err)
			}
			e.evictOne()
			e.sleep(pause)
			pause = min(2*pause, longestPause)
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
func (e *portable) sleep(d time.Duration) {
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

func (e *portable) hasEnded() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ending
}

// open begins to serve a connection, if the limits have room for it.
func (e *portable) open(nc net.Conn) {
	e.counters.accepted.Add(1)
	c := &conn{engine: e, net: nc, remote: addrOf(nc.RemoteAddr())}
	e.mu.Lock()
	hit, victim, ok := e.admit(c)
	if ok {
		c.session = e.daemon.Open(c.owner, c, time.Now())
		e.wg.Add(1)
	}
	e.mu.Unlock()
	e.limitHit(hit)
	if victim != nil {
		victim.cut()
	}
	if !ok {
		c.cut()
		return
	}
	go c.serve()
}

// admit puts a connection into the table, if it may, and says which limit it met
// and who has to go for it; e.mu is held.
func (e *portable) admit(c *conn) (hit limit, victim *conn, ok bool) {
	if e.ending {
		return limitNone, nil, false
	}
	switch hit = e.table.full(c.remote); hit {
	case limitPeer:
		return hit, nil, false
	case limitUnfinished:
		victim = e.table.unfinished.oldest()
	case limitConns:
		if victim = e.table.dispensable(); victim == nil {
			return hit, nil, false
		}
	}
	if victim != nil {
		e.drop(victim, causeLimit)
	}
	e.table.add(c)
	return hit, victim, true
}

// limitHit counts and warns; e.mu must be free, since a logger may be slow, or
// ask the server for its figures.
func (e *portable) limitHit(l limit) {
	switch l {
	case limitNone:
		return
	case limitPeer:
		e.counters.limitPeer.Add(1)
	case limitConns:
		e.counters.limitConns.Add(1)
	case limitUnfinished:
		e.counters.limitUnfinished.Add(1)
	case limitRefused:
		e.counters.limitRefused.Add(1)
	}
	if e.limitWarnings.allow(time.Now()) {
		e.log.Warn("a limit is reached and connections are closed for it", "limit", l.String())
	}
}

// drop takes a connection out of the table for a cause; e.mu is held. The caller
// cuts it once e.mu is free.
func (e *portable) drop(c *conn, why cause) {
	c.cause = why
	e.table.remove(c)
	e.leave(c)
}

// leave ends a connection's part in what is under way; e.mu is held.
func (e *portable) leave(c *conn) {
	if c.underWay {
		c.underWay = false
		e.table.underWay--
	}
	if e.ending && e.table.underWay == 0 && !e.stopping {
		closeOnce(e.drained)
	}
}

// closeOnce closes a channel that nothing is ever sent on, unless it is closed;
// the caller holds the lock that guards it.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// evictOne makes room when the system has none.
func (e *portable) evictOne() {
	e.mu.Lock()
	v := e.table.dispensable()
	if v != nil {
		e.drop(v, causeLimit)
	}
	e.mu.Unlock()
	if v != nil {
		e.limitHit(limitConns)
		v.cut()
	}
}

// claim takes a connection off the list of who may have to go, while a chunk of
// it is worked on: else it could be closed for a newcomer in the very moment in
// which it is registered. It says no if the connection has to go already.
func (e *portable) claim(c *conn) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.begun, c.busy = true, true
	return c.cause == causeNone
}

// settle moves a connection to where it belongs after a chunk. It says no if the
// connection has to go.
func (e *portable) settle(c *conn, res session.Result) bool {
	var victim *conn
	e.mu.Lock()
	c.busy = false
	ok := c.cause == causeNone
	if ok && res.Verdict == session.Keep {
		holds := c.session.Holds()
		if !holds && e.table.refused.len() >= e.limits.maxRefused {
			victim = e.table.refused.oldest()
			e.drop(victim, causeLimit)
		}
		e.table.keep(c, holds)
	}
	e.mu.Unlock()
	if victim != nil {
		e.limitHit(limitRefused)
		victim.cut()
	}
	return ok
}

// evict closes the connections whose names STOP_REQ unregistered.
func (e *portable) evict(owners []registry.Owner) {
	for _, o := range owners {
		e.mu.Lock()
		c := e.table.conns[o]
		if c != nil {
			e.drop(c, causeStopped)
		}
		e.mu.Unlock()
		if c != nil {
			c.cut()
		}
	}
}

// sweep releases the registrations of connections that have ended, although
// their goroutines may not have run yet.
func (e *portable) sweep() { e.watch.sweep(e.registry.Release) }

func (e *portable) shutdown(ctx context.Context) error {
	e.mu.Lock()
	closing := e.end(ErrServerClosed)
	e.mu.Unlock()
	closeAll(closing)
	var err error
	select {
	case <-e.drained:
	case <-e.stopped:
	case <-ctx.Done():
		if e.cutsShort() {
			err = ctx.Err()
		}
	}
	e.stop(ErrServerClosed)
	e.wg.Wait()
	return err
}

// cutsShort says whether a request that has begun is not answered yet.
func (e *portable) cutsShort() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.table.conns {
		if c.underWay && c.begun {
			return true
		}
	}
	return false
}

func (e *portable) close() {
	e.stop(ErrServerClosed)
	e.wg.Wait()
}

// end accepts no more, for the given reason, cuts short the time that silent
// connections have to begin a request, and returns the listeners to close; e.mu
// is held.
func (e *portable) end(why error) []net.Listener {
	if e.ending {
		return nil
	}
	e.ending, e.err = true, why
	e.silentEnd = time.Now().Add(silentGrace)
	for _, c := range e.table.conns {
		if c.underWay && !c.begun {
			c.expire(e.silentEnd)
		}
	}
	if e.table.underWay == 0 {
		closeOnce(e.drained)
	}
	closing := e.listeners
	e.listeners = nil
	return closing
}

// stop ends the engine and drops all connections. It does not wait.
func (e *portable) stop(why error) {
	e.mu.Lock()
	if e.stopping {
		e.mu.Unlock()
		return
	}
	closing := e.end(why)
	e.stopping = true
	var victims []*conn
	for _, c := range e.table.conns {
		e.drop(c, causeShutdown)
		victims = append(victims, c)
	}
	close(e.stopped)
	e.mu.Unlock()
	closeAll(closing)
	for _, c := range victims {
		c.cut()
	}
}

func (e *portable) addrs() []net.Addr {
	e.mu.Lock()
	lns := slices.Clone(e.listeners)
	e.mu.Unlock()
	var out []net.Addr
	for _, ln := range lns {
		out = append(out, ln.Addr())
	}
	return out
}

func (e *portable) count(s *Stats) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.Conns = e.table.len()
	s.Unfinished = e.table.unfinished.len()
	s.Registered = e.table.registered
	s.Refused = e.table.refused.len()
}

var _ engine = (*portable)(nil)

// peerCounts is whether connections of an address count against
// MaxConnsPerPeer.
func (l limits) peerCounts(a netip.Addr) bool { return l.loopbackLimited || !a.IsLoopback() }
