package epmd

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"
)

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
