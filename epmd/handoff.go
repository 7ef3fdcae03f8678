package epmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/engine"
)

var (
	// ErrHandedOver is why Serve ends after a [Server.Handoff] that went well.
	ErrHandedOver = engine.ErrHandedOver
	// ErrHandoff: nothing was handed over. After a Handoff the server
	// goes on as if nothing had happened.
	ErrHandoff = errors.New("epmd: no handover")
)

// HandoffPatience is how long a server stands still for its successor to say that
// it can serve. Clients wait for as long; what takes longer is given up.
const HandoffPatience = 10 * time.Second

// Handoff gives all that the server holds to another process, over a stream socket
// whose other end calls Resume: its listeners and connections, the names with
// their creations, and what has arrived or is to be written on connections that are not
// answered yet. The server stands still meanwhile; those who connect wait. When the
// successor has said that it serves, Handoff returns nil, Serve returns
// ErrHandedOver, and this process holds none of the descriptors any more, without
// having ended a connection. Owners keep their numbers.
//
// If anything goes wrong before the successor serves, or it ends, or the context
// does, or HandoffPatience is over, the server goes on as if nothing had happened,
// and the error wraps ErrHandoff. There is one exception to time and context: once the
// successor has been told to serve, only its word or its end is waited for.
//
// Only EngineEpoll hands over; with EnginePortable the error wraps ErrPortable too. The
// other process must belong to the same user. The socket is closed. It must not be
// called from a hook.
func (s *Server) Handoff(ctx context.Context, to *net.UnixConn) error {
	st := s.init()
	defer func() { _ = to.Close() }() // everything has been said
	e, err := st.engine.handingOver()
	if err == nil {
		err = expectSuccessor(ctx, to)
	}
	if err == nil {
		err = e.Handoff(func(export func() *engine.Held) error { return st.give(ctx, to, export) })
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHandoff, err)
	}
	return nil
}

// give hands over what the engine holds, which stands still.
func (st *parts) give(ctx context.Context, to *net.UnixConn, export func() *engine.Held) error {
	st.handing.Lock() // Unregister must end no name that is on its way
	defer st.handing.Unlock()
	ctx, cancel := context.WithTimeoutCause(ctx, HandoffPatience, fmt.Errorf("it took longer than %v", HandoffPatience))
	defer cancel()
	err := give(ctx, to, export())
	if err != nil {
		st.config.Lent.Store(true) // the successor may have descriptors, and live on
	}
	return err
}

// Resume takes over what another server holds, which calls Handoff on the other
// end of a stream socket, and serves from then on: Serve, with or without further
// listeners, waits for the end. It must come before anything else that is done with the
// server, but for a look at its View, which is empty until then. Addresses are of
// no effect; Port is for the lists of names only. The limits are this server's, but
// no connection that comes over is closed for them. The file of a Unix socket that comes
// over is left where it is at the end. The socket that it came through is closed.
//
// If it fails, its error wraps ErrHandoff, the other server goes on, and this one
// cannot be used any more, unless it was in use already: then it goes on too. Where only EnginePortable can serve, it wraps ErrPortable too.
func (s *Server) Resume(ctx context.Context, from *net.UnixConn) error {
	st := s.init()
	defer func() { _ = from.Close() }() // everything has been said
	err := st.engine.resume(func(begin func([]net.Listener, *engine.Held, func() error) error) error {
		return take(ctx, from, begin)
	})
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, errInUse):
		_ = s.Close() // it has no error
	}
	return fmt.Errorf("%w: %w", ErrHandoff, err)
}
