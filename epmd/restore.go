package epmd

import (
	"errors"
	"fmt"
	"os"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/registry"
	saved "github.com/goepmd/goepmd/registry/state"
)

// Held is what is left of a server that ended suddenly, where somebody kept it: see
// [Server.Restore].
type Held struct {
	// Names are the names, registered and remembered.
	Names registry.Snapshot
	// Conns are the connections of those that are registered. Restore takes out those
	// that it takes, which are the server's then.
	Conns map[registry.Owner]*os.File
}

// Restore has the server begin with what is left of another that has ended. Of the
// registered names those without a connection count as ended with it, and
// connections without a registered name are closed. It must come before Serve, which
// begins to serve the connections; a Serve that fails leaves them to the next one, and the
// end of the server closes them. Owners keep their numbers.
//
// Its errors are those of registry.Restore, registry.ErrUsed too if the server serves
// already, and ErrServerClosed; then the connections are closed. If this process may not have as
// many open files as it takes, the error wraps syscall.EMFILE and says how many are
// needed; nothing has been taken, and Restore can be called again with the same Held, although
// some of its files may be others for the same connections.
func (s *Server) Restore(left Held) error {
	st := s.init()
	h := &engine.Held{State: saved.State{Names: left.Names}}
	if err := room(left.Conns); err != nil {
		return err
	}
	holders := engine.Holders(left.Names)
	for o, f := range left.Conns {
		fd, remote, err := sockets.Adopt(f)
		if sockets.NoFiles(err) { // somebody else has opened some since
			for i, c := range h.Conns {
				left.Conns[c.Owner] = os.NewFile(uintptr(h.ConnFDs[i]), f.Name())
			}
			return fmt.Errorf("epmd: cannot take over %d connections: %w", len(left.Conns), err)
		}
		delete(left.Conns, o)
		more, registered := holders[o]
		switch {
		case errors.Is(err, sockets.ErrNoPeer):
			st.report.Log.Debug("a connection has ended while nobody served it", "owner", o)
		case err != nil:
			st.report.Log.Warn("what was kept is no connection, so that its names have ended", "owner", o, "err", err)
		case !registered:
			sockets.CloseAll([]int{fd})
		default:
			h.Add(saved.Conn{Owner: o, Remote: remote, Phase: saved.Registered, More: more}, fd)
		}
	}
	if err := st.engine.restore(h); err != nil {
		sockets.CloseAll(h.ConnFDs)
		return err
	}
	return nil
}

// room fails if the process may not have the files that a server needs to begin with
// connections.
func room(conns map[registry.Owner]*os.File) error {
	highest := 0
	var any *os.File
	for _, f := range conns {
		raw, err := f.SyscallConn()
		if err == nil {
			err = raw.Control(func(fd uintptr) { highest, any = max(highest, int(fd)), f })
		}
		_ = err // it is closed, which Restore says
	}
	if any == nil {
		return nil
	}
	if err := sockets.Room(any, engine.Files, highest); err != nil {
		return fmt.Errorf("epmd: cannot go on with %d connections: %w", len(conns), err)
	}
	return nil
}

// File gives another descriptor of the connection of a registered node, for somebody
// to keep; nil if it is gone, or there is none since this program registered the node.
func (s *Server) File(o registry.Owner) (*os.File, error) {
	e, _ := s.init().engine.get()
	return e.File(o)
}
