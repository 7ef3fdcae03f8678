package epmd

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
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
	// Listen adds listeners, and connections that another server has left, and serves
	// them from then on. If it fails, nothing has changed, but listeners may be closed. The
	// error is engine.ErrEnds if the engine ends.
	Listen(lns []net.Listener, left *engine.Held) (*engine.Serving, error)
	// Wait returns when the engine has ended and nothing of it runs any more, or when all
	// listeners of one Serve have failed and the engine goes on. It says which, and why.
	Wait(*engine.Serving) (ended bool, why error)
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
	// Handoff stands still, has send hand over what the engine holds, and ends if
	// that went well; else it goes on. Its error is send's.
	Handoff(send func(export func() *engine.Held) error) error
	// Resume begins with listeners and with what another server held. It reads and
	// accepts nothing before commit has returned; if commit fails, the engine ends and
	// has touched nothing. The error is commit's.
	Resume(lns []net.Listener, h *engine.Held, commit func() error) error
}
