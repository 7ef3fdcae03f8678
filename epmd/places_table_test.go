package epmd

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// guest is a connection of these tests.
type guest struct{ seat[*guest] }

func (g *guest) place() *seat[*guest] { return &g.seat }
func (*guest) waits() int             { return 0 }

// TestRoomForRequests: when nodes hold all that may be kept, requests are still
// admitted, but nobody more is kept unless a refused one can go.
func TestRoomForRequests(t *testing.T) {
	var tb table[*guest]
	tb.init(limits{maxConns: 5, maxKept: 3, maxConnsPerPeer: unlimited, maxUnfinished: 9, maxRefused: 9})
	take := func(keep, holds bool) *guest {
		c := new(guest)
		tb.add(c)
		if keep {
			tb.keep(c, holds)
		}
		return c
	}
	take(true, true)
	take(true, true)
	refused := take(true, false)
	asks := take(false, false)
	hit, victim, ok := tb.admitsKept(asks)
	require.Equal(t, limitConns, hit)
	require.Same(t, refused, victim)
	require.True(t, ok)
	tb.remove(refused)
	_, _, ok = tb.admitsKept(asks)
	require.True(t, ok)
	tb.keep(asks, true)

	_, victim, ok = tb.admits(netip.IPv6Loopback())
	require.True(t, ok, "three of five are taken, all for good")
	require.Nil(t, victim)
	newcomer := new(guest)
	_, victim, ok = tb.admitsKept(newcomer)
	require.False(t, ok)
	require.Nil(t, victim)
	first := take(false, false)
	take(false, false)
	_, victim, ok = tb.admits(netip.IPv6Loopback())
	require.True(t, ok)
	require.Same(t, first, victim, "requests make room for requests")
}
