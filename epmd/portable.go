package epmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// portable is the engine for any net.Listener: a goroutine for each listener
// and each connection.
type portable struct {
	config   *config
	report   *reporter
	registry *registry.Registry
	log      *slog.Logger

	arriving atomic.Int64 // accepted, and not in the table yet

	spare   spare
	wg      sync.WaitGroup // every goroutine
	stopped chan struct{}  // closed when all connections are dropped
	drained chan struct{}  // closed when ending and no request is under way

	mu        sync.Mutex
	daemon    *session.Daemon // from the first serve on
	watch     *watch          // likewise; nil if there can be none
	listeners []net.Listener
	conns     map[registry.Owner]*conn
	last      registry.Owner
	table     table[*conn]
	ending    bool      // no more connections
	stopping  bool      // stopped is closed
	silentEnd time.Time // when ending: until when silent connections may begin
	err       error     // why it ended
}

// newPortable makes an engine that serves nothing yet.
func newPortable(c *config) *portable {
	e := &portable{
		config:   c,
		report:   c.report,
		registry: c.registry,
		log:      c.report.log,
		stopped:  make(chan struct{}),
		drained:  make(chan struct{}),
		conns:    make(map[registry.Owner]*conn),
	}
	e.table.init(c.limits)
	return e
}

func (e *portable) serve(lns []net.Listener, left *held) error {
	if err := e.add(lns); err != nil {
		closeAll(lns)
		left.close()
		return err
	}
	e.restore(left)
	for _, ln := range lns {
		e.log.Debug("listening", "address", ln.Addr())
		go e.accept(ln)
	}
	<-e.stopped
	e.wg.Wait()
	e.watch.close()
	e.spare.lend()
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
		e.spare.keep()
		d := e.config.daemon(lns)
		d.Sweep = e.sweep
		e.daemon = &d
	}
	e.listeners = append(e.listeners, lns...)
	e.wg.Add(len(lns))
	return nil
}

func (e *portable) accept(ln net.Listener) {
	defer e.wg.Done()
	pause := shortestPause
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			pause = shortestPause
			if !e.spare.keep() { // it was accepted in its place
				e.report.accepted.Add(1)
				_ = nc.Close() // it has begun nothing
				e.spare.keep()
				e.report.limitHit(limitConns)
				continue
			}
			e.arriving.Add(1)
			e.sleep(e.config.acceptDelay)
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
			e.report.acceptFailed(ln.Addr(), err)
			if !e.evictOne() && e.spare.lend() {
				continue
			}
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
	e.report.accepted.Add(1)
	c := &conn{engine: e, net: nc}
	c.remote = addrOf(nc.RemoteAddr())
	e.mu.Lock()
	hit, victim, ok := e.admit(c)
	if ok {
		c.session = e.daemon.Open(c.owner, c, time.Now())
		e.wg.Add(1)
	}
	e.mu.Unlock()
	e.report.limitHit(hit)
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
	hit, victim, ok = e.table.admits(c.remote)
	if victim != nil {
		e.drop(victim, causeLimit)
	}
	if ok {
		e.last++
		c.owner = e.last
		e.conns[c.owner] = c
		e.table.add(c)
	}
	return hit, victim, ok
}

// drop takes a connection out of the table for a cause; e.mu is held. The caller
// cuts it once e.mu is free.
func (e *portable) drop(c *conn, why cause) {
	c.cause = why
	c.ends.Store(e.config.shuts(why))
	e.taken(c)
	e.forget(c)
}

// taken takes what a connection was writing out of the account; e.mu is held.
func (e *portable) taken(c *conn) {
	e.table.pending.Add(-int64(c.pending))
	c.pending = 0
}

// forget takes a connection out of the table; e.mu is held.
func (e *portable) forget(c *conn) {
	delete(e.conns, c.owner)
	e.table.remove(c)
	e.leave(c)
}

// leave ends a connection's part in what is under way; e.mu is held.
func (e *portable) leave(c *conn) {
	e.table.settled(c)
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

// evictOne makes room when the system has none, and says whether it could.
func (e *portable) evictOne() bool {
	e.mu.Lock()
	v := e.table.dispensable()
	if v != nil {
		e.drop(v, causeLimit)
	}
	e.mu.Unlock()
	if v != nil {
		e.report.limitHit(limitConns)
		v.cut()
	}
	return v != nil
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
	var victims []*conn
	hit := limitNone
	e.mu.Lock()
	c.busy = false
	ok := c.cause == causeNone
	if ok && res.Verdict == session.Keep {
		hit, victims, ok = e.keep(c)
	}
	e.mu.Unlock()
	e.report.limitHit(hit)
	for _, v := range victims {
		v.cut()
	}
	return ok
}

// keep makes a connection a kept one, if there is room, and says which limit it met
// and who has to go for it; e.mu is held.
func (e *portable) keep(c *conn) (hit limit, victims []*conn, ok bool) {
	dropped := func(v *conn, l limit) {
		if v != nil {
			e.drop(v, causeLimit)
			victims, hit = append(victims, v), l
		}
	}
	if !c.kept() {
		hit, victim, ok := e.table.admitsKept(c)
		dropped(victim, hit)
		if !ok {
			return hit, victims, false
		}
	}
	holds := c.session.Holds()
	c.more = c.session.TakesMore()
	if !holds && !c.kept() {
		dropped(e.table.crowded(), limitRefused)
	}
	e.table.keep(c, holds)
	return hit, victims, true
}

// evict closes the connections whose names STOP_REQ unregistered.
func (e *portable) evict(owners []registry.Owner) {
	for _, o := range owners {
		e.mu.Lock()
		c := e.conns[o]
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
func (e *portable) sweep([]byte) { e.watch.sweep(e.registry.Release) }

func (e *portable) shutdown(ctx context.Context) error {
	e.mu.Lock()
	closing := e.end(errClosed)
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
	e.stop(errClosed)
	e.wg.Wait()
	return err
}

// cutsShort says whether a request that has begun is not answered yet.
func (e *portable) cutsShort() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.conns {
		if c.underWay && c.begun {
			return true
		}
	}
	return false
}

func (e *portable) close() {
	e.stop(errClosed)
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
	for _, c := range e.conns {
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
	if errors.Is(why, errKilled) {
		e.config.lent.Store(true) // whoever keeps connections is to let go
	}
	var victims []*conn
	for _, c := range e.conns {
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

// endIdle ends the engine if nobody is there. A connection that is accepted behind the
// last look is closed unanswered, since admit then takes nobody in.
func (e *portable) endIdle() bool {
	e.mu.Lock()
	if e.ending || !e.deserted() {
		defer e.mu.Unlock()
		return e.ending
	}
	closing := e.end(errIdle)
	e.mu.Unlock()
	closeAll(closing)
	e.stop(errIdle)
	e.config.idleEnd()
	return true
}

// deserted says that nobody is registered, has a request under way, or waits to be
// accepted, as far as that can be known; e.mu is held.
func (e *portable) deserted() bool {
	if e.arriving.Load() > 0 || e.table.underWay > 0 {
		return false
	}
	for _, c := range e.conns {
		if c.busy { // and perhaps about to be registered
			return false
		}
	}
	return e.registry.Len() == 0 && !slices.ContainsFunc(e.listeners, waits)
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

func (e *portable) count() gauges { return e.table.count() }
