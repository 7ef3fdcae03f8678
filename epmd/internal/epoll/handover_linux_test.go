package epoll

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/registry"
	saved "github.com/goepmd/goepmd/registry/state"
	"github.com/goepmd/goepmd/wire"
)

// TestResumeOfEnded: an engine that ends takes nothing over, so that the other server goes
// on.
func TestResumeOfEnded(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		l.stop(engine.ErrClosed)
		commit := func() error {
			require.Fail(l, "the other server is told to end")
			return nil
		}
		require.ErrorIs(l, l.resumeInLoop(nil, nil, new(engine.Held), commit), engine.ErrClosed)
	})
}

// TestHandsOverUnwritten: what of a reply is not written goes over, with what the
// connection is to become then; and the server knows that the engine has ended before
// anybody else does.
func TestHandsOverUnwritten(t *testing.T) {
	c := newConfig()
	c.WriteDelay = time.Hour
	ended := false
	c.Ended = func(any) { ended = true }
	inLoop(t, c, func(l *onLoop) {
		b, err := wire.Node{Name: "foo", Port: 1, Highest: 6, Lowest: 5}.AppendAlive2Req(nil)
		require.NoError(l, err)
		for _, request := range [][]byte{b, b, []byte("\x00\x04zfoo")} {
			l.ask(request)
		}
		require.NoError(l, l.handOver(func(export func() *engine.Held) error {
			h := export()
			require.Len(l, h.ListenerFDs, 1)
			require.Len(l, h.ConnFDs, 3)
			for i, phase := range []saved.Phase{saved.Registered, saved.Refused, saved.Closing} {
				require.Equal(l, phase.String(), h.Conns[i].Phase.String())
				require.NotEmpty(l, h.Conns[i].Out)
			}
			require.False(l, ended)
			return nil
		}))
		require.True(l, ended)
	})
}

// pair gives a descriptor of one end of a TCP connection, and the other end.
func (l *onLoop) pair() (fd int, peer net.Conn) {
	l.Helper()
	ln, err := (&net.ListenConfig{KeepAlive: -1}).Listen(l.Context(), "tcp", "127.0.0.1:0")
	require.NoError(l, err)
	peer, err = net.Dial("tcp", ln.Addr().String())
	require.NoError(l, err)
	l.Cleanup(func() { _ = peer.Close() })
	c, err := ln.Accept()
	require.NoError(l, err)
	fd, err = sockets.Duplicate(c.(syscall.Conn))
	require.NoError(l, err)
	require.NoError(l, c.Close())
	require.NoError(l, ln.Close())
	return fd, peer
}

// TestTakesOver: the connections of another server go on where they were, and the hook
// learns of each; those of registered nodes are probed, if any are.
func TestTakesOver(t *testing.T) {
	for name, tt := range map[string]struct {
		keepAlive time.Duration
		port      uint16
		probed    bool
	}{"probed": {1, 1, true}, "not probed": {0, 1, false}, "of a Unix socket": {1, 0, false}} {
		t.Run(name, func(t *testing.T) {
			c := newConfig()
			c.Limits.KeepAlive = tt.keepAlive
			states := make(map[registry.Owner][]report.State)
			c.Report.OnState = func(of report.Conn, s report.State) { states[of.Owner] = append(states[of.Owner], s) }
			inLoop(t, c, func(l *onLoop) {
				h, peers := new(engine.Held), make(map[registry.Owner]net.Conn)
				for owner, k := range map[registry.Owner]saved.Conn{
					1: {Phase: saved.Registered},
					2: {Phase: saved.Refused},
					3: {Phase: saved.Closing, Out: []byte("x")},
					4: {Phase: saved.Reading, In: []byte{0}},
					5: {Phase: saved.Registered}, // and unregistered meanwhile
				} {
					k.Owner = owner
					k.Remote = netip.AddrPortFrom(sockets.SameMachine, tt.port)
					fd, peer := l.pair()
					h.Add(k, fd)
					peers[owner] = peer
				}
				_, err := l.Engine.registry.Register(1, wire.Node{Name: "foo", Port: 1, Highest: 6, Lowest: 5})
				require.NoError(l, err)
				require.NoError(l, l.listen(nil, nil, h))

				require.Equal(l, "x", string(l.requireClosed(peers[3])))
				require.Empty(l, l.requireClosed(peers[5]))
				l.send(peers[4], []byte("\x01n"))
				require.Len(l, l.requireClosed(peers[4]), len("\x00\x00\x00\x00name foo at port 1\n"))
				require.Equal(l, map[registry.Owner][]report.State{
					1: {report.StateRegistered},
					2: {report.StateRefused},
					3: {report.StateNew, report.StateClosed},
					4: {report.StateNew, report.StateClosed},
					5: {report.StateRegistered, report.StateClosed},
				}, states)
				require.Equal(l, tt.probed, l.probed(1))
				require.False(l, l.probed(2))
			})
		})
	}
}

// probed says whether the system probes a connection.
func (l *onLoop) probed(o registry.Owner) bool {
	l.Helper()
	on, err := unix.GetsockoptInt(int(l.slots.find(o).fd), unix.SOL_SOCKET, unix.SO_KEEPALIVE)
	require.NoError(l, err)
	return on == 1
}
