package epmd

import (
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/portable"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/registry"
)

// errInUse: a server that serves, or has been given something to begin with, is asked to
// begin with what another one held.
var errInUse = fmt.Errorf("epmd: the server is in use already: %w", registry.ErrUsed)

// chosen is the engine of a server: its first Serve, Resume, Shutdown or Close makes the
// choice, which stands.
type chosen struct {
	wanted Engine
	config *engine.Config
	idle   *idleTimer

	beginning sync.Mutex // held by what begins to serve, and by Restore: one after another

	mu     sync.Mutex
	engine anyEngine    // before the choice a portable one, which serves nothing
	made   bool         // the choice
	ended  bool         // by Shutdown or Close
	left   *engine.Held // what Restore gave, until it is served or the server ends
}

func newChosen(wanted Engine, c *engine.Config, idle *idleTimer) *chosen {
	made := &chosen{wanted: wanted, config: c, idle: idle, engine: portable.New(c)}
	c.Ended = made.engineEnded
	return made
}

// engineEnded ends what the program itself has registered, if it is the chosen engine that
// has ended.
func (c *chosen) engineEnded(e any) {
	if now, _ := c.get(); e == any(now) {
		c.config.Locals.End()
	}
}

// get gives the engine, and whether the choice is made.
func (c *chosen) get() (e anyEngine, made bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.engine, c.made
}

// choose makes the choice for the given listeners, unless it is made, and says whether
// the engine can serve them.
func (c *chosen) choose(lns []net.Listener) (anyEngine, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	unfit := fitForLoop(lns)
	if !c.made && c.wanted != EnginePortable && unfit == nil {
		var e anyEngine
		if e, unfit = newLoop(c.config); unfit == nil {
			c.engine, c.made = e, true
			return e, nil
		}
		if sockets.NoFiles(unfit) { // the other engine would soon have none either
			return nil, unfit
		}
	}
	if !c.made && c.wanted == EngineEpoll {
		return nil, fmt.Errorf("%w: epoll: %w; set Server.Engine to EngineAuto", ErrEngine, unfit)
	}
	c.made = true
	if _, any := c.engine.(*portable.Engine); !any && unfit != nil {
		return nil, fmt.Errorf("%w: the server runs on epoll already: %w; give all listeners to one Serve, or set Server.Engine to EnginePortable", ErrEngine, unfit)
	}
	return c.engine, nil
}

// serve serves listeners until the server has ended, or until all of them have failed.
func (c *chosen) serve(lns []net.Listener) error {
	e, serving, err := c.listen(lns)
	if err != nil {
		sockets.CloseListeners(lns)
		return err
	}
	c.idle.start(e.EndIdle)
	ended, err := e.Wait(serving)
	if ended {
		c.idle.stop()
	}
	return err
}

// listen chooses the engine, and has it serve listeners and what Restore gave. If it fails,
// another may still serve that.
func (c *chosen) listen(lns []net.Listener) (anyEngine, *engine.Serving, error) {
	c.beginning.Lock()
	defer c.beginning.Unlock()
	_, made := c.get()
	if len(lns) == 0 && !made { // else it serves what it took over
		return nil, nil, errors.New("epmd: no listener to serve")
	}
	e, err := c.choose(lns)
	if err != nil {
		return nil, nil, err
	}
	left := c.keep(nil)
	serving, err := e.Listen(lns, left)
	if err == nil {
		return e, serving, nil
	}
	if rest := c.keep(left); rest != nil {
		rest.End(c.config.Registry)
	}
	if errors.Is(err, engine.ErrEnds) {
		sockets.CloseListeners(lns)
		return e, engine.NewServing(0), nil // which tells why, when it has ended
	}
	if !made {
		c.unchoose(e)
	}
	return nil, nil, err
}

// unchoose ends an engine that could not begin to serve. The next Serve may choose anew.
func (c *chosen) unchoose(e anyEngine) {
	c.mu.Lock()
	if !c.ended {
		c.engine, c.made = portable.New(c.config), false
	}
	c.mu.Unlock()
	e.Close()
}

// keep keeps what Restore gave until it is served, and gives what was kept before. Once the
// server has ended it keeps nothing, and gives that back.
func (c *chosen) keep(h *engine.Held) (rest *engine.Held) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return h
	}
	rest, c.left = c.left, h
	return rest
}

// restore fills the registry with what another server has left, and keeps its connections
// until they are served. If it fails, nothing has changed.
func (c *chosen) restore(h *engine.Held) error {
	c.beginning.Lock()
	defer c.beginning.Unlock()
	if err := c.unused(); err != nil {
		return err
	}
	if err := engine.Restore(c.config.Registry, h); err != nil {
		return err
	}
	if rest := c.keep(h); rest != nil { // the server has ended meanwhile
		rest.End(c.config.Registry)
		return engine.ErrClosed
	}
	return nil
}

// unused says why a server cannot begin with what another one held; nil if it can.
func (c *chosen) unused() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ended:
		return engine.ErrClosed
	case c.made || c.left != nil:
		return errInUse
	}
	return nil
}

// end ends the engine, and what waits to be served. An engine that nobody has chosen serves
// nothing any more.
func (c *chosen) end(how func(anyEngine) error) error {
	c.mu.Lock()
	c.made, c.ended = true, true
	e, left := c.engine, c.left
	c.left = nil
	c.mu.Unlock()
	if left != nil {
		left.End(c.config.Registry)
	}
	err := how(e)
	c.idle.stop()
	return err
}

// handingOver is the engine, if it can hand over.
func (c *chosen) handingOver() (handingOver, error) {
	e, made := c.get()
	if !made {
		return nil, errors.New("nothing is served")
	}
	h, ok := e.(handingOver)
	if !ok {
		return nil, ErrPortable
	}
	return h, nil
}

// resume has take call begin with what another server held. begin chooses the engine and has
// it resume that.
func (c *chosen) resume(take func(begin func([]net.Listener, *engine.Held, func() error) error) error) error {
	c.beginning.Lock()
	defer c.beginning.Unlock()
	if err := c.unused(); err != nil {
		return err
	}
	return take(func(lns []net.Listener, h *engine.Held, commit func() error) error {
		_, err := c.choose(lns)
		var to handingOver
		if err == nil {
			to, err = c.handingOver()
		}
		if err == nil {
			err = engine.Restore(c.config.Registry, h)
		}
		if err != nil {
			sockets.CloseListeners(lns)
			h.Close()
			return err
		}
		if err = to.Resume(lns, h, commit); err != nil {
			h.Release(c.config.Registry) // the other server has them
		}
		return err
	})
}
