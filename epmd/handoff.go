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
	// ErrHandoff: nothing was handed over, or taken over. After a Handoff the server
	// goes on as if nothing had happened.
	ErrHandoff = errors.New("epmd: no handover")
	// ErrPortable: the server runs, or would run, on the portable engine, which hands
	// nothing over and takes nothing over. It comes together with ErrHandoff.
	ErrPortable = errors.New("the portable engine hands nothing over; only on Linux, and with plain TCP and Unix sockets, can a server be replaced while it runs: end it and start the next one")
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
		err = st.handOver(ctx, to, e)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHandoff, err)
	}
	return nil
}

// Resume takes over what another server holds, which calls Handoff on the other
// end of a stream socket, and serves from then on: Serve, with or without further
// listeners, waits for the end. It must come before anything else that is done with the
// server, but for a look at its Registry, which is empty until then. Addresses are of
// no effect; Port is for the lists of names only. The limits are this server's, but
// nobody who is taken over is closed for them. The file of a Unix socket that was
// taken over is left where it is at the end. The socket that it came through is closed.
//
// If it fails, its error wraps ErrHandoff, the other server goes on, and this one
// cannot be used any more. Where only EnginePortable can serve, it wraps ErrPortable too.
func (s *Server) Resume(ctx context.Context, from *net.UnixConn) error {
	st := s.init()
	defer func() { _ = from.Close() }() // everything has been said
	if err := st.resume(ctx, from); err != nil {
		_ = s.Close() // it has no error
		return fmt.Errorf("%w: %w", ErrHandoff, err)
	}
	return nil
}
