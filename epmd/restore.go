package epmd

import (
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
	// Conns are the connections of those that are registered. They are the
	// server's then.
	Conns map[registry.Owner]*os.File
}

// Restore has the server begin with what is left of another that has ended. Of the
// registered names those without a connection count as ended with it, and
// connections without a registered name are closed. It must come before Serve, which
// begins to serve the connections; a Serve that fails leaves them to the next one, and the
// end of the server closes them. Owners keep their numbers.
//
// Its errors are those of registry.Restore, registry.ErrUsed too if the server serves
// already, and ErrServerClosed; then the connections are closed.
func (s *Server) Restore(left Held) error {
	st := s.init()
	h := &engine.Held{State: saved.State{Names: left.Names}}
	holders := engine.Holders(left.Names)
	for o, f := range left.Conns {
		fd, remote, err := sockets.Adopt(f)
		more, registered := holders[o]
		switch {
		case err != nil: // most likely it has ended
			st.report.Log.Debug("a connection has ended while nobody served it", "owner", o, "err", err)
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

// File gives another descriptor of the connection of a registered node, for somebody
// to keep; nil if it is gone, or there is none since this program registered the node.
func (s *Server) File(o registry.Owner) (*os.File, error) {
	e, _ := s.init().engine.get()
	return e.File(o)
}
