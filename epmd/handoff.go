package epmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/goepmd/goepmd/registry"
	saved "github.com/goepmd/goepmd/registry/state"
)

var (
	// ErrHandedOver is why Serve ends after a [Server.Handoff] that went well.
	ErrHandedOver = errors.New("epmd: handed over to a successor")
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
	e, err := st.engine.handing()
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
	defer func() { _ = from.Close() }() // likewise
	if err := st.takeOver(ctx, from); err != nil {
		st.engine.close()
		return fmt.Errorf("%w: %w", ErrHandoff, err)
	}
	return nil
}

// Held is what is left of a server that ended suddenly, where somebody kept it: see
// [Server.Restore].
type Held struct {
	// Names are the names, registered and remembered.
	Names registry.Snapshot
	// Conns are the connections of those that are registered. They are the
	// server's then.
	Conns map[registry.Owner]*os.File
}

// Restore has the server begin with what is left of another that has ended. Of the
// registered names those without a connection count as ended with it, and
// connections without a registered name are closed. It must come before Serve, which
// begins to serve the connections. Owners keep their numbers.
//
// Its errors are those of registry.Restore; then the connections are closed.
func (s *Server) Restore(left Held) error {
	st := s.init()
	h := &held{State: saved.State{Names: left.Names}}
	registered := holders(left.Names)
	for o, f := range left.Conns {
		fd, remote, err := adopt(f)
		switch {
		case err != nil: // most likely it has ended
			st.log.Debug("a connection has ended while nobody served it", "owner", o, "err", err)
		case !registered[o]:
			closeFiles([]int{fd})
		default:
			h.add(saved.Conn{Owner: o, Remote: remote, Phase: saved.Registered}, fd)
		}
	}
	if err := st.restore(h); err != nil {
		closeFiles(h.conns)
		return err
	}
	st.restored.Store(h)
	return nil
}

// restore fills the registry. What is registered must have its connection.
func (st *state) restore(h *held) error {
	if err := st.registry.Restore(h.Names); err != nil {
		return err
	}
	connected := make(map[registry.Owner]bool, len(h.Conns))
	for _, c := range h.Conns {
		connected[c.Owner] = true
	}
	for _, n := range slices.Backward(h.Names.Nodes) { // the oldest first
		for _, o := range n.Owners() {
			if !connected[o] {
				st.registry.Release(o, registry.ReasonClosed)
			}
		}
	}
	return nil
}

// holders are those who hold something that is registered.
func holders(s registry.Snapshot) map[registry.Owner]bool {
	out := make(map[registry.Owner]bool, len(s.Nodes))
	for _, n := range s.Nodes {
		for _, o := range n.Owners() {
			out[o] = true
		}
	}
	return out
}

// File gives another descriptor of the connection of a registered node, for somebody
// to keep; nil if it is gone. It must not be called from a hook.
func (s *Server) File(o registry.Owner) (*os.File, error) { return s.init().engine.file(o) }

var errOwners = errors.New("connections with numbers that cannot be")

// shuts says that a connection has to be ended for all who hold it, since closing this
// process's descriptor might not end it.
func (s *Server) shuts(why cause) bool {
	return s.state.lent.Load() || s.ConnsKept && why != causeShutdown
}

// held is what an engine holds, while it stands still.
type held struct {
	saved.State
	listeners []int // descriptors
	conns     []int // of State.Conns, in their order
}

func (h *held) add(c saved.Conn, fd int) {
	h.Conns = append(h.Conns, c)
	h.conns = append(h.conns, fd)
}

// stateOf is the first state of a connection that is taken over.
func stateOf(p saved.Phase) ConnState {
	switch p {
	case saved.Registered:
		return StateRegistered
	case saved.Refused:
		return StateRefused
	default:
		return StateNew
	}
}
