package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/wire"
)

// TestPartial: what has arrived of a request is told until it is complete, and is all
// that another session needs in its place.
func TestPartial(t *testing.T) {
	packet, err := wire.AppendPacket(nil, register("foo"))
	require.NoError(t, err)
	s := newSim()
	c := s.daemon.Open(1, loopback, s.now)
	require.Empty(t, c.Partial())
	for at := range len(packet) - 1 {
		require.Equal(t, session.Result{Used: 1}, c.Feed(s.now, packet[at:at+1], nil))
		require.Equal(t, packet[:at+1], c.Partial())
	}
	other := s.daemon.Open(2, loopback, s.now)
	other.Feed(s.now, c.Partial(), nil)
	res := other.Feed(s.now, packet[len(packet)-1:], nil)
	require.Equal(t, session.Keep, res.Verdict)
	require.True(t, other.Kept())
	require.Empty(t, other.Partial(), "it is complete")
	c.End(0)
	require.Empty(t, c.Partial(), "it has ended")
}

// TestPartialOfAFault: of what closed the connection nothing is left.
func TestPartialOfAFault(t *testing.T) {
	s := newSim()
	c := s.daemon.Open(1, loopback, s.now)
	c.Feed(s.now, []byte{0xff}, nil)
	require.ErrorIs(t, c.Feed(s.now, []byte{0xff}, nil).Err, wire.FaultSize)
	require.Empty(t, c.Partial())
}

// TestPartialAlive3: a further ALIVE3_REQ is told like a first request.
func TestPartialAlive3(t *testing.T) {
	s := newSim(multiTransport)
	c := s.daemon.Open(1, loopback, s.now)
	c.Feed(s.now, alive3("s", "t1"), nil)
	require.Empty(t, c.Partial())
	packet := alive3("s", "t2")
	c.Feed(s.now, packet[:2], nil)
	require.Equal(t, packet[:2], c.Partial())
	c.Feed(s.now, packet[2:3], nil)
	require.Equal(t, packet[:3], c.Partial())
	c.Feed(s.now, packet[3:], nil)
	require.Empty(t, c.Partial())
	require.Equal(t, 3, c.Want())
}
