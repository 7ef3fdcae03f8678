package portable

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	saved "github.com/goepmd/goepmd/registry/state"
	"github.com/goepmd/goepmd/wire"
)

// newEngine is an engine without a server around it.
func newEngine(t *testing.T) *Engine {
	t.Helper()
	reg := registry.New(registry.Config{})
	c := &engine.Config{
		Registry: reg, Locals: engine.NewLocals(reg, nil), Report: &report.Report{Log: slog.New(slog.DiscardHandler)},
		Limits: places.Limits{
			MaxConns: 10, MaxKept: 10, MaxConnsPerPeer: 10, MaxUnfinished: 10,
			MaxUnfinishedPerPeer: 10, MaxRefused: 10, MaxPending: 1 << 20, MaxHeld: 10,
		},
		Daemon: func([]net.Listener) session.Daemon { return session.Daemon{Registry: reg} },
		Ended:  func(any) {},
	}
	e := New(c)
	t.Cleanup(e.Close)
	return e
}

// TestRemotesGivesUp: who asks for addresses does not wait for a lock beyond its time.
func TestRemotesGivesUp(t *testing.T) {
	e := newEngine(t)
	why := errors.New("it has taken too long")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	e.mu.Lock()
	_, err := e.Remotes(ctx, nil)
	e.mu.Unlock()
	require.ErrorIs(t, err, why)
}

// TestRestoreAtTheEnd: an engine that has ended closes each connection that it was to go on
// with, so that all their nodes see it.
func TestRestoreAtTheEnd(t *testing.T) {
	e := newEngine(t)
	_, err := e.add(nil, engine.NewServing(0))
	require.NoError(t, err)
	e.Close()
	h := &engine.Held{}
	var theirs []net.Conn
	for o := range registry.Owner(3) {
		ours, their := net.Pipe()
		h.Nets, theirs = append(h.Nets, ours), append(theirs, their)
		h.Conns = append(h.Conns, saved.Conn{Owner: o + 1, Remote: netip.MustParseAddrPort("127.0.0.1:1"), Phase: saved.Registered})
	}
	e.restore(h)
	for _, c := range theirs {
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
	}
}

// TestAdoptFails: what is no connection is an error, and nothing is made of it.
func TestAdoptFails(t *testing.T) {
	h := &engine.Held{ConnFDs: []int{-1}}
	require.ErrorContains(t, adopt(h), "cannot take over 1 connections")
	require.Empty(t, h.Nets)
}

// slow is a listener that accepts nobody before it is told to.
type slow struct {
	*net.TCPListener
	accepts chan struct{}
}

func (l slow) Accept() (net.Conn, error) {
	<-l.accepts
	return l.TCPListener.Accept()
}

// TestIdleAndWaiting: an engine is not idle while a connection waits to be accepted.
func TestIdleAndWaiting(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e := newEngine(t)
	l := slow{ln.(*net.TCPListener), make(chan struct{})}
	_, err = e.Listen([]net.Listener{l}, nil)
	require.NoError(t, err)
	c, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.False(t, e.EndIdle())
	close(l.accepts)
	require.Eventually(t, func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.conns) == 1
	}, 20*time.Second, time.Millisecond)
	require.False(t, e.EndIdle(), "a request is under way")
	require.NoError(t, c.Close())
	require.Eventually(t, e.EndIdle, 20*time.Second, time.Millisecond)
}

// TestReadPlainly: what was read takes effect, and nothing else does.
func TestReadPlainly(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() { _, _ = theirs.Write([]byte("a")); _ = theirs.Close() }()
	var effects []int
	for _, want := range []error{nil, io.EOF} {
		_, err := new(watch).read(ours, make([]byte, 4), func(n int) { effects = append(effects, n) })
		require.Equal(t, want, err)
	}
	require.Equal(t, []int{1}, effects)
	require.NoError(t, ours.Close())
}

// TestDroppedBeforeItWaits: a connection that had to go before it began to wait for a name does
// not wait.
func TestDroppedBeforeItWaits(t *testing.T) {
	e := newEngine(t)
	e.config.Waiters, e.config.TakenGrace = engine.NewWaiters(), time.Hour
	e.config.Waiters.Join([]byte("n"), 99, func() {}) // who is before it
	c := &conn{engine: e}
	c.Cause = places.CauseStopped
	_, err := c.await([]byte("n"), nil)
	require.ErrorIs(t, err, engine.ErrLimit)
}

// TestAtWork: the holder of a name is at work until it waits to read.
func TestAtWork(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e := newEngine(t)
	_, err = e.Listen([]net.Listener{ln}, nil)
	require.NoError(t, err)
	c, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	packet, err := wire.Node{Name: "n", Port: 1, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}.AppendAlive2Req(nil)
	require.NoError(t, err)
	_, err = c.Write(packet)
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, 6))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return !e.atWork([]byte("n")) }, 20*time.Second, time.Millisecond)
	require.False(t, e.atWork([]byte("nobody")))

	e.mu.Lock()
	for _, c := range e.conns {
		c.reads.Store(false) // as after the read
	}
	e.mu.Unlock()
	require.True(t, e.atWork([]byte("n")))
}
