package epmd_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/wire"
)

// TestComesBackAfterByte ends a registration by a byte on its connection, and asks for the
// name at once, many times.
func TestComesBackAfterByte(t *testing.T) { onEngines(t, testComesBackAfterByte) }

func testComesBackAfterByte(t *testing.T, engine epmd.Engine) {
	grace := time.Duration(-1)
	if runtime.GOOS == "windows" {
		grace = 0 // what is usual: under wine another process connects, and may overtake a byte
	}
	s := run(t, &epmd.Server{Engine: engine, TakenGrace: grace})
	c, _ := s.register(t, "foo")
	for i := range 3000 {
		_, err := c.Write([]byte{0})
		require.NoError(t, err)
		next, resp := s.register(t, "foo")
		require.Zero(t, resp.Result, "round %d", i)
		require.NoError(t, c.Close())
		c = next
	}
}

// TestStoppedBeforeReply: a name that is stopped before its registration is answered is
// answered all the same, and then closed.
func TestStoppedBeforeReply(t *testing.T) { onEngines(t, testStoppedBeforeReply) }

func testStoppedBeforeReply(t *testing.T, engine epmd.Engine) {
	for name, delay := range map[string]time.Duration{"at once": 0, "late": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			s := &epmd.Server{Engine: engine, WriteDelay: delay, MultiTransport: true}
			s.OnRequest = func(r epmd.Request) { s.Unregister(r.Name) }
			r := run(t, s)
			c, resp := r.register(t, "foo")
			require.Zero(t, resp.Result)
			require.Empty(t, requireClosed(t, c))
			c = r.dial(t)
			require.Equal(t, []uint8{0}, exchange3(t, c, transport("foo", "tls", 1000)))
			require.Empty(t, requireClosed(t, c))
			require.Zero(t, s.Stats().Registered)
			require.Zero(t, s.View().Len())
		})
	}
}

// TestStoppedBeforeMore: likewise a further transport of a connection that is kept.
func TestStoppedBeforeMore(t *testing.T) { onEngines(t, testStoppedBeforeMore) }

func testStoppedBeforeMore(t *testing.T, engine epmd.Engine) {
	s := &epmd.Server{Engine: engine, WriteDelay: 20 * time.Millisecond, MultiTransport: true}
	s.OnRequest = func(r epmd.Request) {
		if r.Name == "last" {
			s.Unregister("last")
		}
	}
	r := run(t, s)
	c := r.dial(t)
	require.Equal(t, []uint8{0}, exchange3(t, c, transport("first", "tls", 1000)))
	require.Equal(t, []uint8{0}, exchange3(t, c, transport("last", "tls", 1000)))
	require.Empty(t, requireClosed(t, c))
	require.Zero(t, s.View().Len(), "a stop ends all that the connection holds")
}

// TestBytesAfterRegistration: of what a registered node sends, against the protocol, so much is
// read as OTP's epmd reads at once. The close is a reset only if there is more.
func TestBytesAfterRegistration(t *testing.T) {
	onEngines(t, func(t *testing.T, engine epmd.Engine) {
		s := run(t, &epmd.Server{Engine: engine})
		for n, reset := range map[int]bool{1: false, 16: false, wire.MaxPacketLen + 1: false, wire.MaxPacketLen + 2: true} {
			c, _ := s.register(t, fmt.Sprintf("n%d", n))
			_, err := c.Write(make([]byte, n))
			require.NoError(t, err)
			_, err = c.Read(make([]byte, 1))
			require.Equal(t, reset, sockets.IsReset(err), "%d bytes: %v", n, err)
			require.Error(t, err)
		}
	})
}
