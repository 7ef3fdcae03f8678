package epmd_test

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// TestPacketTimeout: a connection that does not complete its request in time is closed
// then, not before, whether it is silent or sends a byte now and then.
func TestPacketTimeout(t *testing.T) {
	t.Parallel()
	onEngines(t, testPacketTimeout)
}

func testPacketTimeout(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	const timeout = 300 * time.Millisecond
	s := run(t, &epmd.Server{Engine: engine, PacketTimeout: timeout})
	begun := time.Now()
	silent, slow := s.dial(t), s.dial(t)
	go func() {
		for {
			if _, err := slow.Write([]byte{0x0b}); err != nil {
				return
			}
			time.Sleep(timeout / 4)
		}
	}()
	require.Empty(t, requireClosed(t, silent))
	require.GreaterOrEqual(t, time.Since(begun), timeout)
	require.Empty(t, requireClosed(t, slow))
	require.EqualValues(t, 2, s.Stats().TimedOut)
}

// inNoTime runs a test with a server of the portable engine that listens in memory, where
// time passes only while all wait: so it is told to the nanosecond who is closed when, and
// an hour takes no time. What the epoll engine does is in epoll_timer_linux_test.go.
func inNoTime(t *testing.T, s *epmd.Server, f func(*testing.T, *running, *pipeListener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		f(t, runOn(t, s, ln), ln)
	})
}

// TestPacketTimeoutExactly is TestPacketTimeout to the nanosecond.
func TestPacketTimeoutExactly(t *testing.T) {
	const timeout = time.Minute
	inNoTime(t, &epmd.Server{PacketTimeout: timeout}, func(t *testing.T, s *running, ln *pipeListener) {
		for _, bytes := range []int{0, 1, 3} {
			c := ln.connect(t)
			begun := time.Now()
			for range bytes {
				_, err := c.Write([]byte{0x0b})
				require.NoError(t, err)
				time.Sleep(timeout / 4)
			}
			require.Empty(t, requireClosed(t, c))
			require.Equal(t, timeout, time.Since(begun))
		}
		require.EqualValues(t, 3, s.Stats().TimedOut)
	})
}

// TestTimeoutRestarts: as up to OTP 26, a request may take as long as it likes if its bytes
// never come later than the timeout after each other.
func TestTimeoutRestarts(t *testing.T) {
	const timeout = time.Minute
	inNoTime(t, &epmd.Server{PacketTimeout: timeout, TimeoutRestarts: true}, func(t *testing.T, s *running, ln *pipeListener) {
		packet, err := wire.AppendPacket(nil, append([]byte{byte(wire.TagNamesReq)}, make([]byte, 8)...))
		require.NoError(t, err)
		c := ln.connect(t)
		for i := range packet {
			time.Sleep(timeout - 1)
			_, err := c.Write(packet[i : i+1])
			require.NoError(t, err)
		}
		require.Len(t, requireClosed(t, c), 4)
		require.Zero(t, s.Stats().TimedOut)

		c = ln.connect(t)
		_, err = c.Write(packet[:1])
		require.NoError(t, err)
		begun := time.Now()
		require.Empty(t, requireClosed(t, c))
		require.Equal(t, timeout, time.Since(begun))
		require.EqualValues(t, 1, s.Stats().TimedOut)
	})
}

// TestNoTimeout: without a timeout a silent connection may ask after days, and a
// registered one has none in any case.
func TestNoTimeout(t *testing.T) {
	const days = 100 * time.Hour
	inNoTime(t, &epmd.Server{PacketTimeout: -1}, func(t *testing.T, _ *running, ln *pipeListener) {
		c := ln.connect(t)
		time.Sleep(days)
		_, err := c.Write([]byte("\x00\x01n"))
		require.NoError(t, err)
		require.Len(t, requireClosed(t, c), 4)
	})
	inNoTime(t, &epmd.Server{PacketTimeout: time.Minute}, func(t *testing.T, s *running, ln *pipeListener) {
		c := ln.connect(t)
		_, err := c.Write(alive(t, "foo"))
		require.NoError(t, err)
		_, err = io.ReadFull(c, make([]byte, 6))
		require.NoError(t, err)
		time.Sleep(days)
		require.Equal(t, 1, s.Stats().Registered)
		require.Zero(t, s.Stats().TimedOut)
	})
}

// connect opens a connection, for as long as the test runs.
func (l *pipeListener) connect(t *testing.T) net.Conn {
	t.Helper()
	c, err := l.dial(t.Context(), "", "")
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}
