//go:build unix

package epmd_test

import (
	"io"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
)

// keep is what a supervisor would have kept of a server: descriptors of the connections of
// all registered nodes, and their names.
func (r *running) keep(t *testing.T) epmd.Held {
	t.Helper()
	left := epmd.Held{Names: r.View().Snapshot(), Conns: map[registry.Owner]*os.File{}}
	for _, e := range left.Names.Nodes {
		for _, o := range e.Owners() {
			if left.Conns[o] != nil {
				continue // it has another name too
			}
			f, err := r.File(o)
			require.NoError(t, err)
			require.NotNil(t, f)
			left.Conns[o] = f
		}
	}
	return left
}

// goOn ends a server, and has another begin with what was kept of it.
func (r *running) goOn(t *testing.T, next *epmd.Server, left epmd.Held) *running {
	t.Helper()
	require.NoError(t, r.Close())
	require.NoError(t, next.Restore(left))
	s := run(t, next)
	_, err := s.client().Names(ctx(t)) // it serves
	require.NoError(t, err)
	return s
}

// TestRestoreTakesMore: a connection that has registered a transport may register further
// ones after a restart too; one that came by ALIVE2_REQ, for the same name, may not.
func TestRestoreTakesMore(t *testing.T) {
	onEngines(t, func(t *testing.T, engine epmd.Engine) {
		server := func() *epmd.Server {
			return &epmd.Server{Engine: engine, MultiTransport: true, ConnsKept: true}
		}
		s := run(t, server())
		several, plain, again := s.dial(t), s.dial(t), s.dial(t)
		require.Equal(t, []uint8{0}, exchange3(t, several, transport("a", "inet_tcp", 1)))
		require.Equal(t, []uint8{0}, exchange3(t, again, transport("b", "", 1)))
		b, err := node("a", 2).AppendAlive2Req(nil)
		require.NoError(t, err)
		_, err = plain.Write(b)
		require.NoError(t, err)
		_, err = io.ReadFull(plain, make([]byte, 6))
		require.NoError(t, err)
		for range 2 { // after the second restart as well
			s = s.goOn(t, server(), s.keep(t))
		}
		require.Equal(t, []uint8{0, 1}, exchange3(t, several, transport("a", "inet_tls", 3), transport("a", "inet_tls", 3)))
		require.Equal(t, []uint8{0}, exchange3(t, again, transport("b", "uds", 4)))
		b, err = transport("a", "uds", 5).AppendAlive3Req(nil)
		require.NoError(t, err)
		_, err = plain.Write(b)
		require.NoError(t, err)
		require.Empty(t, requireClosed(t, plain))
		entry, ok := s.View().Entry("a")
		require.True(t, ok)
		require.Len(t, entry.Transports, 2)
	})
}

// TestUnregisterBeforeServe: a connection whose name is unregistered between Restore and
// Serve is closed.
func TestUnregisterBeforeServe(t *testing.T) {
	onEngines(t, func(t *testing.T, engine epmd.Engine) {
		s := run(t, &epmd.Server{Engine: engine, ConnsKept: true})
		gone, _ := s.register(t, "gone")
		stays, _ := s.register(t, "stays")
		left := s.keep(t)
		require.NoError(t, s.Close())
		next := &epmd.Server{Engine: engine}
		require.NoError(t, next.Restore(left))
		require.True(t, next.Unregister("gone"))
		s = run(t, next)
		requireClosed(t, gone)
		s.requireOpen(t, stays)
		require.Equal(t, []string{"stays"}, s.names())
		require.Equal(t, 1, s.Stats().Conns)
	})
}

// owners notes who was registered, and whether one came twice.
type owners struct {
	mu    sync.Mutex
	seen  map[registry.Owner]bool
	twice []registry.Owner
}

func (o *owners) state(c epmd.Conn, s epmd.ConnState) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s == epmd.StateNew {
		if o.seen[c.Owner] {
			o.twice = append(o.twice, c.Owner)
		}
		o.seen[c.Owner] = true
	}
}

// TestOwnersNeverAgain: a server that begins with what another left gives no number that a
// registered connection had before, although it may be gone.
func TestOwnersNeverAgain(t *testing.T) {
	onEngines(t, func(t *testing.T, engine epmd.Engine) {
		testOwnersNeverAgain(t, engine, func(s *running, next *epmd.Server) *running { return s.goOn(t, next, s.keep(t)) })
	})
}

func testOwnersNeverAgain(t *testing.T, engine epmd.Engine, next func(*running, *epmd.Server) *running) {
	seen := owners{seen: map[registry.Owner]bool{}}
	server := func() *epmd.Server {
		return &epmd.Server{Engine: engine, ConnsKept: true, ConnState: seen.state, Remember: -1}
	}
	s := run(t, server())
	stays, _ := s.register(t, "stays")
	for range 3 {
		for range 5 { // in the same place, one after the other
			x, _ := s.register(t, "x")
			require.True(t, s.Unregister("x"))
			requireClosed(t, x)
		}
		s = next(s, server())
	}
	s.register(t, "y")
	s.requireOpen(t, stays)
	require.NoError(t, s.Close())
	require.Empty(t, seen.twice)
	require.GreaterOrEqual(t, len(seen.seen), 1+3*5+1)
}
