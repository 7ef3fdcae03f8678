package epoll

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/registry"
)

// Listen adds listeners, and connections that another server has left, and serves them from
// then on. If it fails, nothing has changed, but listeners may be closed.
func (e *Engine) Listen(lns []net.Listener, left *engine.Held) (*engine.Serving, error) {
	serving := engine.NewServing(len(lns))
	if left != nil {
		defer e.makeRoom()()
	}
	opened, err := openListeners(lns, serving)
	if err != nil {
		return nil, fmt.Errorf("epmd: cannot take over a listener: %w", err)
	}
	result := make(chan error, 1)
	if !e.order(func() { result <- e.listen(lns, opened, left) }) {
		closeAll(opened)
		return nil, engine.ErrEnds
	}
	return serving, <-result
}

// listen begins to serve listeners and what another server has left.
func (e *Engine) listen(lns []net.Listener, opened []*listener, h *engine.Held) error {
	if e.ending {
		closeAll(opened)
		return engine.ErrEnds
	}
	if err := e.addListeners(opened); err != nil {
		return err
	}
	before := e.daemon
	e.makeDaemon(lns)
	if err := e.restore(h); err != nil {
		e.daemon = before
		e.removeListeners(opened)
		return err
	}
	e.resumeConns(h)
	e.acceptAllEarly(opened)
	return nil
}

// makeDaemon makes what the sessions share, for the first listeners.
func (e *Engine) makeDaemon(lns []net.Listener) {
	if e.daemon.Registry == nil {
		e.daemon = e.config.Daemon(lns)
		e.daemon.Sweep = e.sweep
	}
}

// Wait returns when the engine has ended, or when all listeners of one Serve have failed and
// the engine goes on. It says which, and why.
func (e *Engine) Wait(s *engine.Serving) (ended bool, why error) {
	select {
	case <-e.done:
		return true, e.err
	case why = <-s.Failed():
		return false, why
	}
}

// Shutdown accepts no more, waits for requests under way until the context ends, and
// then ends the engine.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.order(func() { e.end(engine.ErrClosed) })
	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
	}
	short := false
	e.order(func() {
		short = !e.stopping && e.cutsShort()
		e.stop(engine.ErrClosed)
	})
	<-e.done
	if short {
		return ctx.Err()
	}
	return nil
}

// Close closes all connections and ends the engine.
func (e *Engine) Close() {
	e.order(func() { e.stop(engine.ErrClosed) })
	<-e.done
}

// cutsShort says whether a request of which bytes have come is not answered yet.
func (e *Engine) cutsShort() bool {
	short := false
	e.slots.all(func(c *socket) { short = short || c.UnderWay && c.Spoke })
	return short
}

// EndIdle ends the engine if no node is registered and nobody can be about to register,
// and says whether it has ended.
func (e *Engine) EndIdle() bool {
	ended := make(chan bool, 1)
	if !e.order(func() { ended <- e.endIdleNow() }) {
		return true
	}
	return <-ended
}

// endIdleNow is EndIdle in the loop, so nothing happens meanwhile; a peer that connects
// after the last look at the listeners is reset as they close.
func (e *Engine) endIdleNow() bool {
	if e.ending {
		return true
	}
	if e.table.UnderWay > 0 {
		return false
	}
	for _, l := range e.listeners {
		if l.waiting >= 0 || l.fd >= 0 && sockets.Readable(l.fd, true) {
			return false
		}
	}
	if !e.config.Locals.EndIdle() {
		return false
	}
	e.stop(engine.ErrIdle)
	e.config.IdleEnd()
	return true
}

// Addrs are the addresses of the listeners.
func (e *Engine) Addrs() []net.Addr {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.addresses)
}

// Evict has the loop close the connections of owners. It does not wait for the loop,
// which may be in the hook that asks.
func (e *Engine) Evict(owners []registry.Owner) {
	if len(owners) > 0 {
		e.order(func() { e.evictNow(owners) })
	}
}

// Count is how many connections there are.
func (e *Engine) Count() places.Gauges { return e.table.Count() }

// Remotes are the peers' addresses of connections; nil of one that is closed.
func (e *Engine) Remotes(ctx context.Context, owners []registry.Owner) ([]net.Addr, error) {
	type answer struct {
		addrs []net.Addr
		err   error
	}
	// The loop must not wait for somebody who has given up.
	c := make(chan answer, 1)
	ordered := e.order(func() {
		if e.ending {
			c <- answer{err: engine.ErrClosed}
			return
		}
		out := make([]net.Addr, len(owners))
		for i, o := range owners {
			if s := e.slots.find(o); s != nil {
				out[i] = s.remoteAddr()
			}
		}
		c <- answer{addrs: out}
	})
	if !ordered {
		return nil, engine.ErrClosed
	}
	select {
	case a := <-c:
		return a.addrs, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// File gives another descriptor of a connection; nil if it is closed. The loop looks it
// up, or the caller does while the loop is in a hook: it may be the hook that asks.
func (e *Engine) File(o registry.Owner) (f *os.File, err error) {
	e.mu.Lock()
	if e.inHook {
		defer e.mu.Unlock() // the loop leaves the hook later
		return e.fileNow(o)
	}
	e.mu.Unlock()
	done := make(chan struct{})
	if !e.order(func() {
		defer close(done)
		f, err = e.fileNow(o)
	}) {
		return nil, nil
	}
	<-done
	return f, err
}

// fileNow is File while nothing changes in the loop.
func (e *Engine) fileNow(o registry.Owner) (*os.File, error) {
	c := e.slots.find(o)
	if c == nil || c.fd < 0 {
		return nil, nil
	}
	fd, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "connection"), nil
}

// enterHook tells File when the loop enters a hook and has left it.
func (e *Engine) enterHook(in bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inHook = in
}
