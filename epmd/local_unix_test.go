//go:build unix

package epmd_test

import (
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/registry/state"
)

// nosyListener calls look when somebody wants to know whether connections wait.
type nosyListener struct {
	net.Listener
	look func()
}

func (l nosyListener) SyscallConn() (syscall.RawConn, error) {
	l.look()
	return l.Listener.(syscall.Conn).SyscallConn()
}

// TestLocalAtTheLastMoment: a node that the program registers while the server is about to
// end for being idle holds it.
func TestLocalAtTheLastMoment(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &epmd.Server{ExitIdle: soon}
	release := make(chan func(), 1)
	var once sync.Once
	r := runOn(t, s, nosyListener{ln, func() {
		once.Do(func() {
			_, end, err := s.RegisterLocal(node("mine", 1))
			if err != nil {
				t.Error(err)
			}
			release <- end
		})
	}})
	end := <-release
	r.requireRunsFor(t, 3*soon)
	end()
	require.ErrorIs(t, r.end(t), epmd.ErrIdle)
}

// TestLocalIsNotRestored: a snapshot and a journal tell the next server of a node of the
// program that it has ended; its creation goes on. No connection gets its number.
func TestLocalIsNotRestored(t *testing.T) { onEngines(t, testLocalIsNotRestored) }

func testLocalIsNotRestored(t *testing.T, engine epmd.Engine) {
	file, err := os.Create(t.TempDir() + "/journal")
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	journal := state.NewJournal(file, 0)
	s := run(t, &epmd.Server{Engine: engine, OnEvent: journal.OnEvent})
	s.register(t, "first") // so that the journal has a base without the local one
	creation, _ := local(t, s.Server, "mine")
	snapshot := s.View().Snapshot()
	journalled, err := state.ReadJournal(file)
	require.NoError(t, err)
	for _, names := range []registry.Snapshot{snapshot, journalled} {
		mine, theirs := tcpPair(t)
		kept, err := mine.(*net.TCPConn).File()
		require.NoError(t, err)
		next := &epmd.Server{Engine: engine}
		require.NoError(t, next.Restore(epmd.Held{Names: names, Conns: map[registry.Owner]*os.File{names.Nodes[0].Owner: kept}}))
		require.NoError(t, mine.Close())
		require.Empty(t, requireClosed(t, theirs))
		require.Zero(t, next.View().Len())
		again, release := local(t, next, "mine")
		require.Equal(t, creation+1, again)
		require.ErrorIs(t, next.Restore(epmd.Held{Names: names}), registry.ErrUsed)
		release()
		require.NoError(t, next.Close())
	}
}

// tcpPair is a connection over loopback, both ends.
func tcpPair(t *testing.T) (a, b net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b, err = net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	a, err = ln.Accept()
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	t.Cleanup(func() { _ = b.Close() })
	require.NoError(t, b.SetDeadline(time.Now().Add(patience)))
	return a, b
}
