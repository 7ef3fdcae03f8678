package epmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/portable"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/registry"
)

// ErrEngine: the listeners cannot be served by the engine that was chosen.
var ErrEngine = errors.New("epmd: not for this engine")

// Engine is how a [Server] serves its connections. Engines answer alike, and
// keep to the same limits; they differ in what a connection costs.
type Engine uint8

// The engines.
const (
	// EngineAuto is EngineEpoll where the system and all the listeners of the
	// first Serve are fit for it, else EnginePortable.
	EngineAuto Engine = iota
	// EngineEpoll serves everything from one goroutine: for Linux, and listeners
	// of type *net.TCPListener and *net.UnixListener alone. A request takes no
	// goroutine, timer or allocation, a registered connection a few hundred
	// bytes.
	//
	// It takes over the sockets of the listeners: those of TCP are closed, with
	// the socket itself left open, as soon as they are served.
	EngineEpoll
	// EnginePortable serves any net.Listener, with a goroutine for each
	// connection.
	EnginePortable
)

// String is the engine as one lower-case word.
func (e Engine) String() string {
	switch e {
	case EngineAuto:
		return "auto"
	case EngineEpoll:
		return "epoll"
	case EnginePortable:
		return "portable"
	}
	return "engine " + strconv.Itoa(int(e))
}

// engine serves listeners. Every method may be called at any time, and more than
// once.
type anyEngine interface {
	// Serve adds listeners, and connections that another server has left, and returns
	// when the server has ended and nothing of it runs any more. It closes them all.
	Serve(lns []net.Listener, left *engine.Held) error
	// Shutdown accepts no more, lets requests under way finish until the context
	// ends, then drops everything and returns when nothing runs any more. Its
	// error is the context's if it cut a request short.
	Shutdown(context.Context) error
	// Close drops everything and returns when nothing runs any more.
	Close()
	// EndIdle ends the server with ErrIdle, unless somebody is registered, or any
	// connection is open or waits to be accepted that may want to be. It says
	// whether the server has ended, now or before.
	EndIdle() bool
	// Addrs are those of the listeners.
	Addrs() []net.Addr
	// Evict closes the connections of owners whose names were stopped.
	Evict([]registry.Owner)
	// Count is how many connections there are.
	Count() places.Gauges
	// Remotes are the other ends of the connections of owners, nil of one that is
	// gone. Its errors are those of Server.Check.
	Remotes(context.Context, []registry.Owner) ([]net.Addr, error)
	// File gives another descriptor of a connection; nil if it is gone.
	File(registry.Owner) (*os.File, error)
}

// handing is an engine that can hand over what it holds.
type handingOver interface {
	// Handoff stands still, has give hand over what the engine holds, and ends if
	// that went well; else it goes on. Its error is give's.
	Handoff(give func(export func() *engine.Held) error) error
	// TakeUp begins with listeners and with what another held. Nothing is read or
	// accepted before begin has returned; if begin fails, the engine ends, and
	// has touched nothing. The error is begin's.
	Resume(lns []net.Listener, h *engine.Held, begin func() error) error
}

// chosen is the engine of a server: the choice is made by its first Serve.
type chosen struct {
	wanted Engine
	config *engine.Config
	idle   *idleTimer
	left   atomic.Pointer[engine.Held] // what Restore gave, until it is served

	mu     sync.Mutex
	engine anyEngine // nil before the choice
}

func (c *chosen) get() anyEngine {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.engine
}

// choose makes the choice, if it is not made, for the given listeners, and says
// whether the engine can serve them.
func (c *chosen) choose(lns []net.Listener) (anyEngine, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	unfit := fitForLoop(lns)
	if c.engine == nil && c.wanted != EnginePortable && unfit == nil {
		e, err := newLoop(c.config)
		if err == nil {
			c.engine = e
			return e, nil
		}
		unfit = err
	}
	switch {
	case c.engine == nil && c.wanted == EngineEpoll:
		return nil, fmt.Errorf("%w: epoll: %w; set Server.Engine to EngineAuto", ErrEngine, unfit)
	case c.engine == nil:
		c.engine = portable.New(c.config)
	}
	if _, slow := c.engine.(*portable.Engine); !slow && unfit != nil {
		return nil, fmt.Errorf("%w: the server runs on epoll already: %w; give all listeners to one Serve, or set Server.Engine to EnginePortable", ErrEngine, unfit)
	}
	return c.engine, nil
}

func (c *chosen) serve(lns []net.Listener) error {
	if len(lns) == 0 && c.get() == nil { // else it serves what it took over
		return errors.New("epmd: no listener to serve")
	}
	e, err := c.choose(lns)
	if err != nil {
		sockets.CloseListeners(lns)
		return err
	}
	c.idle.start(e.EndIdle)
	err = e.Serve(lns, c.left.Swap(nil))
	c.idle.stop()
	return err
}

// any is the engine, or one that was never used: the server ends before it began.
func (c *chosen) any() anyEngine {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.engine == nil {
		c.engine = portable.New(c.config)
	}
	return c.engine
}

func (c *chosen) shutdown(ctx context.Context) error {
	err := c.any().Shutdown(ctx)
	c.idle.stop()
	return err
}

func (c *chosen) close() {
	c.any().Close()
	c.idle.stop()
}

func (c *chosen) endIdle() bool { return c.any().EndIdle() }

func (c *chosen) addrs() []net.Addr {
	if e := c.get(); e != nil {
		return e.Addrs()
	}
	return nil
}

func (c *chosen) evict(owners []registry.Owner) {
	if e := c.get(); e != nil {
		e.Evict(owners)
	}
}

func (c *chosen) count() places.Gauges {
	if e := c.get(); e != nil {
		return e.Count()
	}
	return places.Gauges{}
}

// handing is the engine, if it can hand over.
func (c *chosen) handingOver() (handingOver, error) {
	e := c.get()
	if e == nil {
		return nil, errors.New("nothing is served")
	}
	h, ok := e.(handingOver)
	if !ok {
		return nil, ErrPortable
	}
	return h, nil
}

// takeUp is that of the engine which is chosen for the listeners.
func (c *chosen) resume(lns []net.Listener, h *engine.Held, begin func() error) error {
	var to handingOver
	err := errors.New("the server is in use already")
	if c.get() == nil {
		if _, err = c.choose(lns); err == nil {
			to, err = c.handingOver()
		}
	}
	if err != nil {
		sockets.CloseListeners(lns)
		sockets.CloseAll(h.ConnFDs)
		return err
	}
	return to.Resume(lns, h, begin)
}

func (c *chosen) file(o registry.Owner) (*os.File, error) {
	if e := c.get(); e != nil {
		return e.File(o)
	}
	return nil, nil
}
