package epoll

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	saved "github.com/goepmd/goepmd/registry/state"
)

// openTwo opens two more listeners, which nobody serves yet.
func (l *onLoop) openTwo() []*listener {
	l.Helper()
	var lns []net.Listener
	for range 2 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(l, err)
		lns = append(lns, ln)
	}
	opened, err := openListeners(lns, engine.NewServing(len(lns)))
	require.NoError(l, err)
	return opened
}

// TestListenFails: where it cannot begin to serve, an engine keeps none of the new
// listeners, and goes on with those that it had.
func TestListenFails(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		requireAsBefore := func(opened []*listener) {
			require.Len(l, l.Addrs(), 1)
			for _, o := range opened {
				require.Negative(l, o.fd)
				_, err := net.Dial("tcp", o.addr.String())
				require.Error(l, err)
			}
			l.register("foo").Close()
			l.sweep(nil)
		}
		unwatched, poll := l.openTwo(), l.poll
		l.poll = -1
		err := l.listen(nil, unwatched, nil)
		l.poll = poll
		require.ErrorContains(l, err, "cannot watch")
		requireAsBefore(unwatched)

		unfit := l.openTwo()
		require.ErrorIs(l, l.listen(nil, unfit, &engine.Held{State: saved.State{Conns: []saved.Conn{{}}}}), errOwners)
		requireAsBefore(unfit)
	})
}

// TestClosedListenerHasNobody: who waits for AcceptDelay as the listener closes is closed
// with it, and nobody comes upon it later.
func TestClosedListenerHasNobody(t *testing.T) {
	c := newConfig()
	c.AcceptDelay = time.Hour
	inLoop(t, c, func(l *onLoop) {
		waits := l.ask(nil)
		require.GreaterOrEqual(l, l.listeners[0].waiting, 0)
		l.removeListeners(l.listeners)
		require.Empty(l, l.requireClosed(waits))
		no := errors.New("no successor")
		require.Equal(l, no, l.handOver(func(func() *engine.Held) error { return no }))
		require.Zero(l, l.report.Accepted.Load())
	})
}
