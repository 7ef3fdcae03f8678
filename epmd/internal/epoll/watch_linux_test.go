package epoll

import (
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// onLoop is an epoll engine whose loop does only what a test has it do.
type onLoop struct {
	*testing.T
	*Engine
}

// newConfig is one with room for everybody that a test brings.
func newConfig() *engine.Config {
	r := registry.New(registry.Config{})
	return &engine.Config{
		Registry: r,
		Locals:   engine.NewLocals(r, nil),
		Ended:    func(any) {},
		Report:   &report.Report{Log: slog.New(slog.DiscardHandler)},
		Limits: places.Limits{
			MaxConns: 1000, MaxKept: 1000, MaxConnsPerPeer: places.Unlimited,
			MaxUnfinished: 100, MaxRefused: 100, MaxPending: places.Unlimited,
		},
		Daemon: func([]net.Listener) session.Daemon {
			return session.Daemon{Registry: r, Dialect: wire.MultiTransport}
		},
	}
}

// runLoop serves a free port until the test ends.
func runLoop(t *testing.T, c *engine.Config) *Engine {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e, err := New(c)
	require.NoError(t, err)
	serving, err := e.Listen([]net.Listener{ln}, nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		e.Close()
		ended, why := e.Wait(serving)
		require.True(t, ended)
		require.Contains(t, []error{engine.ErrClosed, engine.ErrHandedOver}, why)
	})
	require.Len(t, e.Addrs(), 1)
	return e
}

// inLoop runs a test in the loop of an engine, which thus neither sleeps nor watches
// anything on its own.
func inLoop(t *testing.T, c *engine.Config, f func(*onLoop)) {
	t.Helper()
	e := runLoop(t, c)
	done := make(chan struct{})
	require.True(t, e.order(func() {
		defer close(done) // a test that fails ends its goroutine, which is the loop's
		t.Run("in the loop", func(t *testing.T) { f(&onLoop{t, e}) })
	}))
	<-done
}

// ask connects, and has the loop answer a request.
func (l *onLoop) ask(request []byte) net.Conn {
	l.Helper()
	c, err := net.Dial("tcp", l.listeners[0].addr.String())
	require.NoError(l, err)
	l.Cleanup(func() { _ = c.Close() })
	_, err = c.Write(request)
	require.NoError(l, err)
	l.accept(l.listeners[0])
	return c
}

func (l *onLoop) register(name string) net.Conn {
	l.Helper()
	b, err := wire.Node{Name: name, Port: 1, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}.AppendAlive2Req(nil)
	require.NoError(l, err)
	c := l.ask(b)
	b = make([]byte, 6)
	_, err = io.ReadFull(c, b)
	require.NoError(l, err)
	require.Zero(l, b[1], "refused: %s", name)
	return c
}

// leave registers nodes whose connections have ended.
func (l *onLoop) leave(names ...string) {
	l.Helper()
	for _, name := range names {
		require.NoError(l, l.register(name).Close())
	}
}

func (l *onLoop) registered(names ...string) {
	l.Helper()
	require.Equal(l, len(names), l.Engine.registry.Len())
	for _, name := range names {
		_, ok := l.Engine.registry.Lookup([]byte(name))
		require.True(l, ok, name)
	}
}

// TestFreshIsSwept: that a fresh node has left is seen by who asks for its name, and by
// who asks for all.
func TestFreshIsSwept(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		l.leave("gone", "left")
		l.register("here")
		l.sweep([]byte("other"))
		l.registered("gone", "left", "here")
		require.Equal(l, 3, l.fresh.len())
		l.sweep([]byte("here"))
		l.registered("gone", "left", "here")
		l.sweep([]byte("gone"))
		l.registered("left", "here")
		l.sweep(nil)
		l.registered("here")
		require.Zero(l, l.fresh.len())
	})
}

// TestFreshComesBack: a node that restarts at once is not refused.
func TestFreshComesBack(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		for range 3 * maxFresh {
			l.leave("same")
		}
		l.registered("same")
	})
}

// TestFreshWithTransports: who holds a name with others is swept with it.
func TestFreshWithTransports(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		n := wire.Node{Name: "two", Port: 2, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5, Transport: "tls"}
		b, err := n.AppendAlive3Req(nil)
		require.NoError(l, err)
		l.ask(b)
		l.leave("two")
		require.Equal(l, 1, l.fresh.len())
		l.sweep([]byte("two"))
		require.Len(l, l.Engine.registry.Snapshot().Nodes[0].Transports, 1)
	})
}

// TestFreshGrowsOld: there are not more than fit, and none for longer than some turns; who has
// left by then is gone, and the others are watched.
func TestFreshGrowsOld(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		l.register("first")
		l.leave("second")
		for i := range maxFresh {
			l.register(string(rune('A' + i)))
		}
		require.Equal(l, maxFresh, l.fresh.len())
		require.Equal(l, maxFresh+1, l.Engine.registry.Len())
		first, _ := l.Engine.registry.Holder([]byte("first"))
		require.True(l, l.slots.find(first).watched)

		l.turn += freshTurns
		l.watchOld()
		require.Equal(l, maxFresh, l.fresh.len())
		l.turn++
		l.watchOld()
		require.Zero(l, l.fresh.len())
		l.slots.all(func(c *socket) { require.True(l, c.watched) })
		require.Equal(l, maxFresh+1, l.Engine.registry.Len())
	})
}

// TestFreshBeforeSleep: a loop that sleeps is woken by the end of any registered
// connection.
func TestFreshBeforeSleep(t *testing.T) {
	c := newConfig()
	sub, _ := c.Registry.Subscribe(4)
	defer sub.Close()
	left, err := net.Dial("tcp", runLoop(t, c).Addrs()[0].String())
	require.NoError(t, err)
	b, err := wire.Node{Name: "foo", Port: 1, Highest: 6, Lowest: 5}.AppendAlive2Req(nil)
	require.NoError(t, err)
	_, err = left.Write(b)
	require.NoError(t, err)
	require.Equal(t, registry.Registered, (<-sub.C).Kind)
	time.Sleep(20 * time.Millisecond) // so that it sleeps
	require.NoError(t, left.Close())
	select {
	case e := <-sub.C:
		require.Equal(t, registry.Unregistered, e.Kind)
	case <-time.After(20 * time.Second):
		require.Fail(t, "nobody has noticed")
	}
}

// TestFreshAndLimits: who has left takes no place and no descriptor from others; who is
// here does.
func TestFreshAndLimits(t *testing.T) {
	c := newConfig()
	c.Limits.MaxConns, c.Limits.MaxKept = 2, 2
	inLoop(t, c, func(l *onLoop) {
		l.leave("a", "b")
		l.register("c")
		l.registered("c")
		require.Zero(l, l.report.LimitConns.Load())
		l.leave("d")
		before := l.table.Len()
		l.acceptShort(l.listeners[0])
		require.Less(l, l.table.Len(), before)
		require.True(l, l.listeners[0].ready)
		require.Zero(l, l.report.LimitConns.Load())

		l.leave("e")
		l.register("f")
		l.registered("c", "f")
		b, _ := io.ReadAll(l.ask([]byte("\x00\x01n"))) // it may be reset
		require.Empty(l, b)
		require.EqualValues(l, 1, l.report.LimitConns.Load())
	})
}

// TestFreshCannotBeWatched: where epoll takes no more, who is registered stays so, whoever
// leaves is seen to, and only who would be more than the loop can look after is
// refused.
func TestFreshCannotBeWatched(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		l.register("first")
		for i := range maxFresh - 1 {
			l.register(string(rune('A' + i)))
		}
		poll := l.poll
		defer func() { l.poll = poll }()
		l.poll = -1
		require.False(l, l.watchAllFresh())
		l.turn += 2 * freshTurns
		l.watchOld()
		require.Equal(l, maxFresh, l.fresh.len())

		b, err := wire.Node{Name: "more", Port: 1, Highest: 6, Lowest: 5}.AppendAlive2Req(nil)
		require.NoError(l, err)
		_, err = l.ask(b).Read(make([]byte, 1))
		require.ErrorIs(l, err, io.EOF)
		require.Equal(l, maxFresh, l.Engine.registry.Len())

		l.poll = poll
		require.True(l, l.watchAllFresh())
	})
}
