package epoll

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/session"
)

// TestWorkIsAsNew: nothing of one connection's request is left for the next one that is
// given its work.
func TestWorkIsAsNew(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		var conns [3]socket
		for i := range conns {
			w := l.startWork(&conns[i])
			w.out, w.after, w.err = []byte("a reply"), session.Close, errors.New("an end")
			w.early, w.shared, w.whole, w.moved, w.asked = true, true, true, true, 1
			l.startTimeout(w, &timeouts{wait: time.Hour})
		}
		for i := range conns {
			l.endWork(&conns[i])
			require.Nil(l, conns[i].work)
		}
		require.Equal(l, 3, l.freeWorks)
		seen := make(map[*work]bool)
		for i := range conns {
			w := l.startWork(&conns[i])
			require.False(l, seen[w], "two have one")
			seen[w] = true
			require.Equal(l, work{socket: &conns[i]}, *w)
		}
		require.Zero(l, l.freeWorks)
		require.Nil(l, l.freeWork)
	})
}

// TestPending: bytes count as pending from when they do not fit until they are written, or
// the connection ends.
func TestPending(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		l.ask(nil)
		l.slots.all(func(c *socket) {
			l.pend(c, make([]byte, 10))
			require.EqualValues(l, 10, l.table.Pending.Load())
			l.pend(c, c.work.out[6:])
			require.EqualValues(l, 4, l.table.Pending.Load())
			l.finish(c, nil)
		})
		require.Zero(l, l.table.Pending.Load())
	})
}

// TestAboutUnix: a connection of a Unix socket has addresses without a port.
func TestAboutUnix(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer closeFile(fds[0])
	defer closeFile(fds[1])
	about := (&socket{fd: int32(fds[0])}).About()
	require.Equal(t, "unix", about.Remote.Network())
	require.Equal(t, "unix", about.Local.Network())
}

// TestTimeoutsSince: a queue is in the order of the ends, however time-outs come and go.
func TestTimeoutsSince(t *testing.T) {
	l := &timeouts{wait: time.Hour}
	requireInOrder := func(n int) {
		var last *work
		for w := l.first; w != nil; last, w = w, w.next {
			require.Same(t, l, w.queue)
			require.True(t, w.prev == last)
			require.True(t, last == nil || last.until <= w.until)
			n--
		}
		require.True(t, l.last == last)
		require.Zero(t, n)
	}
	var all []*work
	for n, since := range rand.Perm(20) {
		w := new(work)
		all = append(all, w)
		w.startTimeoutSince(l, time.Duration(since))
		requireInOrder(n + 1)
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for n, w := range all {
		w.stopTimeout()
		requireInOrder(len(all) - n - 1)
	}
}
