package portable

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// Shutdown accepts no more, waits for requests under way until the context ends, and
// then ends the engine.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	closing := e.end(engine.ErrClosed)
	e.mu.Unlock()
	sockets.CloseListeners(closing)
	var err error
	select {
	case <-e.drained:
	case <-e.stopped:
	case <-ctx.Done():
		if e.cutsShort() {
			err = ctx.Err()
		}
	}
	e.stop(engine.ErrClosed)
	e.wait()
	return err
}

// cutsShort says whether a request of which bytes have come is not answered yet.
func (e *Engine) cutsShort() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.conns {
		if c.UnderWay && c.Spoke {
			return true
		}
	}
	return false
}

// Close closes all connections and ends the engine.
func (e *Engine) Close() {
	e.stop(engine.ErrClosed)
	e.wait()
}

// end accepts no more, for the given reason, shortens the time in which silent
// connections may begin a request, and returns the listeners to close. The caller holds
// e.mu.
func (e *Engine) end(why error) []*listener {
	if e.ending {
		return nil
	}
	e.ending, e.err = true, why
	e.silentEnd = time.Now().Add(engine.SilentGrace)
	for _, c := range e.conns {
		if c.UnderWay && !c.Spoke {
			c.expire(e.silentEnd)
		}
		c.wake()
	}
	if e.table.UnderWay == 0 {
		closeOnce(e.drained)
	}
	closing := e.listeners
	e.listeners = nil
	return closing
}

// stop ends the engine and drops all connections. It does not wait.
func (e *Engine) stop(why error) {
	e.mu.Lock()
	if e.stopping {
		e.mu.Unlock()
		return
	}
	closing := e.end(why)
	e.stopping = true
	if errors.Is(why, engine.ErrKilled) {
		e.config.Killed.Store(true)
	}
	var victims []*conn
	for _, c := range e.conns {
		e.drop(c, places.CauseShutdown)
		victims = append(victims, c)
	}
	e.config.Ended(e)
	close(e.stopped)
	e.mu.Unlock()
	sockets.CloseListeners(closing)
	for _, c := range victims {
		c.cutDropped()
	}
}

// EndIdle ends the engine if no node is registered and nobody can be about to register,
// and says whether it has ended. A connection that is accepted after the last look is
// closed unanswered, since admit then takes nobody in.
func (e *Engine) EndIdle() bool {
	e.mu.Lock()
	if e.ending || !e.deserted() || !e.config.Locals.EndIdle() {
		defer e.mu.Unlock()
		return e.ending
	}
	closing := e.end(engine.ErrIdle)
	e.mu.Unlock()
	sockets.CloseListeners(closing)
	e.stop(engine.ErrIdle)
	e.config.IdleEnd()
	return true
}

// deserted says that no request is under way, and no connection waits to be accepted, as far
// as the system tells. The caller holds e.mu.
func (e *Engine) deserted() bool {
	if e.arriving.Load() > 0 || e.table.UnderWay > 0 {
		return false
	}
	for _, c := range e.conns {
		if c.Busy { // and perhaps about to be registered
			return false
		}
	}
	return !slices.ContainsFunc(e.listeners, func(l *listener) bool { return sockets.HasWaiting(l.Listener) })
}
