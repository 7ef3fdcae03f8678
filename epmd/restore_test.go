//go:build unix

package epmd_test

import (
	"net"
	"os"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestRestore: what somebody kept of a server that has ended goes on; what ended
// meanwhile has ended.
func TestRestore(t *testing.T) {
	onEngines(t, func(t *testing.T, engine epmd.Engine) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		kept, err := ln.(*net.TCPListener).File()
		require.NoError(t, err)
		s := runOn(t, &epmd.Server{Engine: engine, ConnsKept: true}, ln)
		stays, resp := s.register(t, "stays")
		ends, _ := s.register(t, "ends")
		_, lost := s.register(t, "lost")
		odd, _ := s.register(t, "odd")
		left := epmd.Held{Names: s.View().Snapshot(), Conns: map[registry.Owner]*os.File{}}
		for _, e := range left.Names.Nodes {
			if e.Node.Name != "lost" {
				left.Conns[e.Owner], err = s.File(e.Owner)
				require.NoError(t, err)
				require.NotNil(t, left.Conns[e.Owner])
				flags, err := unix.FcntlInt(left.Conns[e.Owner].Fd(), unix.F_GETFL, 0)
				require.NoError(t, err)
				require.NotZero(t, flags&unix.O_NONBLOCK, "or it would block for the server too")
			}
		}
		f, err := s.File(1 << 50)
		require.NoError(t, err)
		require.Nil(t, f)
		s.Unregister("odd")
		requireClosed(t, odd)                   // although another descriptor of it is held
		left.Names.Nodes = left.Names.Nodes[1:] // without odd, the most recent
		require.NoError(t, s.Close())
		require.NoError(t, ends.Close())

		ln, err = net.FileListener(kept)
		require.NoError(t, err)
		require.NoError(t, kept.Close())
		var asked atomic.Int32
		next := &epmd.Server{Engine: engine, AdmitNode: func(epmd.Conn, wire.Node) error { asked.Add(1); return nil }}
		require.NoError(t, next.Restore(left))
		s = runOn(t, next, ln)
		require.Eventually(t, func() bool { return len(s.names()) == 1 }, patience, tick)
		require.Equal(t, []string{"stays"}, s.names())
		s.requireOpen(t, stays)
		require.Zero(t, asked.Load(), "what is restored was admitted before")
		_, again := s.register(t, "lost")
		require.Equal(t, lost.Creation+1, again.Creation)
		require.NoError(t, stays.Close())
		require.Eventually(t, func() bool { return len(s.names()) == 1 }, patience, tick)
		_, again = s.register(t, "stays")
		require.Equal(t, resp.Creation+1, again.Creation)
		require.ErrorIs(t, next.Restore(left), registry.ErrUsed)
	})
}
