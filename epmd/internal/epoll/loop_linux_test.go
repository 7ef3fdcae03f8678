package epoll

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/wire"
)

// TestLoopSleeps: while nothing happens the loop does nothing, whoever is registered.
func TestLoopSleeps(t *testing.T) {
	e := runLoop(t, newConfig())
	for _, transport := range []string{"", "tls"} {
		c, err := net.Dial("tcp", e.Addrs()[0].String())
		require.NoError(t, err)
		defer func() { _ = c.Close() }()
		n := wire.Node{Name: "foo" + transport, Port: 1, Highest: 6, Lowest: 5, Transport: transport}
		b, err := n.AppendAlive2Req(nil)
		if transport != "" {
			b, err = n.AppendAlive3Req(nil)
		}
		require.NoError(t, err)
		_, err = c.Write(b)
		require.NoError(t, err)
		_, err = io.ReadFull(c, b[:6])
		require.NoError(t, err)
	}
	turn := func() uint32 {
		now := make(chan uint32)
		e.order(func() { now <- e.turn })
		return <-now
	}
	before := turn()
	time.Sleep(100 * time.Millisecond) // in which it would do something
	require.Less(t, turn()-before, uint32(8))
}

// TestEndLeavesTime: who is silent has a moment to begin a request as the engine ends, and
// no more; who has begun one may complete it.
func TestEndLeavesTime(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		silent, begun := l.ask(nil), l.ask([]byte{0})
		before := l.now()
		l.end(engine.ErrClosed)
		require.GreaterOrEqual(l, l.silentEnd, before+engine.SilentGrace)
		l.later(engine.SilentGrace)
		require.Empty(l, l.requireClosed(silent))
		require.False(l, l.stopping)
		l.send(begun, []byte("\x01n"))
		require.Len(l, l.requireClosed(begun), 4)
		require.True(l, l.stopping)
	})
}

// TestProbedIfItLasts: a registered connection is probed once it has lasted, and not
// whenever the timer rings before.
func TestProbedIfItLasts(t *testing.T) {
	c := newConfig()
	c.Limits.KeepAlive = time.Minute
	inLoop(t, c, func(l *onLoop) {
		l.register("foo")
		o, _ := l.Engine.registry.Holder([]byte("foo"))
		l.later(-time.Hour) // however slow the machine
		require.False(l, l.probed(o))
		l.later(time.Hour + probeDelay)
		require.True(l, l.probed(o))
	})
}

// TestCloseIsLogged: with -d one sees which connection was closed, and why.
func TestCloseIsLogged(t *testing.T) {
	var log bytes.Buffer
	c := withTimeout(time.Hour, false)
	c.Report.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	inLoop(t, c, func(l *onLoop) {
		silent := l.ask(nil)
		log.Reset()
		l.later(time.Hour)
		require.Contains(l, log.String(), `msg="connection closed" remote=`+silent.LocalAddr().String()+` owner=1 err="no complete request in time"`)
	})
}
