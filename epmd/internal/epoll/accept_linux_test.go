package epoll

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// noFiles lets the process open no more files, until the function that it gives is called.
func noFiles(t *testing.T) (give func()) {
	t.Helper()
	var before unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &before))
	none := before
	none.Cur = 1 // which is in use
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &none))
	give = func() { require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &before)) }
	t.Cleanup(give)
	return give
}

// dial connects, and has nothing accepted.
func (l *onLoop) dial() net.Conn {
	l.Helper()
	c, err := net.Dial("tcp", l.listeners[0].addr.String())
	require.NoError(l, err)
	l.Cleanup(func() { _ = c.Close() })
	return c
}

// TestAcceptInTurns: where many wait at a listener, others have their turn after some.
func TestAcceptInTurns(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		const clients = 2*acceptBatch + 1
		for range clients {
			_, err := l.dial().Write([]byte("\x00\x01n"))
			require.NoError(l, err)
		}
		end := time.Now().Add(20 * time.Second)
		for before := uint64(0); before < clients; before = l.report.Accepted.Load() {
			require.True(l, time.Now().Before(end), "they are not accepted")
			l.sweep(nil)
			l.acceptAll()
			require.LessOrEqual(l, l.report.Accepted.Load()-before, uint64(acceptBatch))
		}
	})
}

// TestNotAccepted: where files are short a connection without a registration has to go;
// after any other failure nobody has, and the listener has a pause, longer each time until
// one is accepted.
func TestNotAccepted(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		from := l.listeners[0]
		silent := l.ask(nil)
		for _, pause := range []time.Duration{engine.ShortestPause, 2 * engine.ShortestPause} {
			l.notAccepted(from, unix.ECONNABORTED)
			require.Equal(l, pause, from.pause)
			require.NotZero(l, from.paused)
		}
		require.Equal(l, 1, l.table.Len())
		require.EqualValues(l, 2, l.report.AcceptErrors.Load())
		l.later(time.Hour)
		require.Zero(l, from.paused)
		l.ask([]byte("\x00\x01n"))
		require.Zero(l, from.pause)

		for _, errno := range []unix.Errno{unix.EAGAIN, unix.EINTR} {
			from.ready = false
			l.notAccepted(from, errno)
			require.Equal(l, errno == unix.EINTR, from.ready, "whether it tries again at once")
		}
		require.EqualValues(l, 2, l.report.AcceptErrors.Load())
		from.ready = false
		l.notAccepted(from, unix.ENOBUFS)
		require.Empty(l, l.requireClosed(silent))
		require.True(l, from.ready)
		require.Zero(l, from.paused)
		require.EqualValues(l, 3, l.report.AcceptErrors.Load())
	})
}

// TestAcceptWithoutAny: where not even the spare descriptor helps, the listener has a
// pause, and the newcomer waits for its end.
func TestAcceptWithoutAny(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		from := l.listeners[0]
		c := l.dial()
		give := noFiles(l.T)
		l.acceptShort(from)
		give()
		require.NotZero(l, from.paused)
		require.Zero(l, l.report.Accepted.Load())
		l.later(time.Hour)
		require.Zero(l, from.paused)
		l.accept(from)
		l.send(c, []byte("\x00\x01n"))
		require.Len(l, l.requireClosed(c), 4)
	})
}

// TestFileFails: who asks for the descriptor of a connection learns why there is none.
func TestFileFails(t *testing.T) {
	c := newConfig()
	sub, _ := c.Registry.Subscribe(1)
	defer sub.Close()
	e := runLoop(t, c)
	node, err := net.Dial("tcp", e.Addrs()[0].String())
	require.NoError(t, err)
	defer func() { _ = node.Close() }()
	b, err := wire.Node{Name: "foo", Port: 1, Highest: 6, Lowest: 5}.AppendAlive2Req(nil)
	require.NoError(t, err)
	_, err = node.Write(b)
	require.NoError(t, err)
	require.Equal(t, registry.Registered, (<-sub.C).Kind)
	owner, _ := c.Registry.Holder([]byte("foo"))
	give := noFiles(t)
	f, err := e.File(owner)
	give()
	require.ErrorIs(t, err, unix.EMFILE)
	require.Nil(t, f)
	f, err = e.File(owner)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}
