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

// Errors of a server whose engine cannot do what it is asked for.
var (
	// ErrEngine: the listeners cannot be served by the engine that was chosen.
	ErrEngine = errors.New("epmd: not for this engine")
	// ErrPortable: the server runs, or would run, on the portable engine, which hands
	// nothing over and resumes nothing. It comes together with ErrHandoff.
	ErrPortable = errors.New("the portable engine hands nothing over; only on Linux, and with plain TCP and Unix sockets, can a server be replaced while it runs: end it and start the next one")
)

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

// anyEngine serves listeners. Each method may be called at any time, and more than once.
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
	// Evict closes the connections of owners whose names were unregistered by force.
	Evict([]registry.Owner)
	// Count is how many connections there are.
	Count() places.Gauges
	// Remotes are the peers' addresses of the connections of owners, nil of one that is
	// closed. Its errors are those of Server.Check.
	Remotes(context.Context, []registry.Owner) ([]net.Addr, error)
	// File gives another descriptor of a connection; nil if it is gone.
	File(registry.Owner) (*os.File, error)
}

// handingOver is an engine that can hand over what it holds.
type handingOver interface {
	// Handoff stands still, has give hand over what the engine holds, and ends if
	// that went well; else it goes on. Its error is give's.
	Handoff(give func(export func() *engine.Held) error) error
	// Resume begins with listeners and with what another server held. It reads and
	// accepts nothing before commit has returned; if commit fails, the engine ends and
	// has touched nothing. The error is commit's.
	Resume(lns []net.Listener, h *engine.Held, commit func() error) error
}

// chosen is the engine of a server: its first Serve, Resume, Shutdown or Close makes the
// choice, which stands.
type chosen struct {
	wanted Engine
	config *engine.Config
	idle   *idleTimer
	left   atomic.Pointer[engine.Held] // what Restore gave, until it is served

	mu     sync.Mutex
	engine anyEngine // before the choice a portable one, which serves nothing
	made   bool      // the choice
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

func (c *chosen) serve(lns []net.Listener) error {
	if _, made := c.get(); len(lns) == 0 && !made { // else it serves what it took over
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

// end ends the engine; one that nobody has chosen serves nothing any more.
func (c *chosen) end(how func(anyEngine) error) error {
	c.mu.Lock()
	c.made = true
	e := c.engine
	c.mu.Unlock()
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

// resume chooses the engine for listeners, and has it resume what another server held.
func (c *chosen) resume(lns []net.Listener, h *engine.Held, commit func() error) error {
	var to handingOver
	err := errors.New("the server is in use already")
	if _, made := c.get(); !made {
		if _, err = c.choose(lns); err == nil {
			to, err = c.handingOver()
		}
	}
	if err != nil {
		sockets.CloseListeners(lns)
		h.Close()
		return err
	}
	return to.Resume(lns, h, commit)
}
