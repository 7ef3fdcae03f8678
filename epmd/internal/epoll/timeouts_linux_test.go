package epoll

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/session"
)

// later has so much time pass, by moving the loop's start, and the timer ring.
func (l *onLoop) later(d time.Duration) {
	l.started = l.started.Add(-d)
	l.ring()
}

// send sends bytes on a connection, and has the loop take them in.
func (l *onLoop) send(c net.Conn, b []byte) {
	l.Helper()
	_, err := c.Write(b)
	require.NoError(l, err)
	for end := time.Now().Add(20 * time.Second); len(l.ready) == 0; l.sweep(nil) {
		require.True(l, time.Now().Before(end), "nothing arrives")
	}
	for _, o := range l.ready {
		l.handle(l.slots.find(o))
	}
	l.ready = l.ready[:0]
}

// requireClosed reads until the loop's side has closed the connection.
func (l *onLoop) requireClosed(c net.Conn) []byte {
	l.Helper()
	require.NoError(l, c.SetReadDeadline(time.Now().Add(20*time.Second)))
	b, err := io.ReadAll(c)
	require.NoError(l, err)
	return b
}

// withTimeout is newConfig with the time that a request may take; zero is none.
func withTimeout(timeout time.Duration, restarts bool) *engine.Config {
	c := newConfig()
	c.Limits.PacketTimeout = timeout
	daemon := c.Daemon
	c.Daemon = func(lns []net.Listener) session.Daemon {
		d := daemon(lns)
		d.TimeoutRestarts = restarts
		return d
	}
	return c
}

// almost is how much time may pass while a test runs without a timeout of an hour running
// out.
const almost = 30 * time.Minute

// TestTimeout: a connection that does not complete its request in time is closed then,
// not before, whether it is silent or sends a byte now and then; one that is registered
// never is.
func TestTimeout(t *testing.T) {
	inLoop(t, withTimeout(time.Hour, false), func(l *onLoop) {
		l.register("foo")
		silent, slow := l.ask(nil), l.ask([]byte{0})
		l.later(almost)
		l.send(slow, []byte{0x0b})
		require.Equal(l, 2, l.table.Count().Unfinished)
		l.later(time.Hour - almost)
		require.Empty(l, l.requireClosed(silent))
		require.Empty(l, l.requireClosed(slow))
		require.EqualValues(l, 2, l.report.TimedOut.Load())
		l.later(1000 * time.Hour)
		l.registered("foo")
	})
}

// TestTimeoutRestarts: as up to OTP 26, a request may take as long as it likes if its
// bytes never come later than the timeout after each other.
func TestTimeoutRestarts(t *testing.T) {
	inLoop(t, withTimeout(time.Hour, true), func(l *onLoop) {
		packet := []byte("\x00\x05n\x00\x00\x00\x00")
		slow, tired := l.ask(packet[:1]), l.ask(packet[:1])
		for i := range packet[1:5] {
			l.later(almost)
			l.send(slow, packet[i+1:i+2])
			require.Equal(l, i < 1, l.report.TimedOut.Load() == 0, "the one that stops after its first byte")
		}
		require.Empty(l, l.requireClosed(tired))
		l.send(slow, packet[5:])
		require.Len(l, l.requireClosed(slow), 4)
		require.EqualValues(l, 1, l.report.TimedOut.Load())
	})
}

// TestNoTimeout: without a timeout a silent connection may ask after days.
func TestNoTimeout(t *testing.T) {
	inLoop(t, withTimeout(0, false), func(l *onLoop) {
		c := l.ask(nil)
		l.later(1000 * time.Hour)
		l.send(c, []byte("\x00\x01n"))
		require.Len(l, l.requireClosed(c), 4)
	})
}
