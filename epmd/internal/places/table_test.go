package places

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// guest is a connection of these tests.
type guest struct{ Place[*guest] }

func (*guest) Unsent() int { return 0 }

// TestRoomForRequests: when nodes hold all that may be kept, requests are still
// admitted, but nobody more is kept unless a refused one can go.
func TestRoomForRequests(t *testing.T) {
	var tb Table[*guest]
	tb.Init(Limits{MaxConns: 5, MaxKept: 3, MaxConnsPerPeer: Unlimited, MaxUnfinished: 9, MaxRefused: 9})
	take := func(keep, holds bool) *guest {
		c := new(guest)
		tb.Add(c)
		if keep {
			tb.Keep(c, holds)
		}
		return c
	}
	take(true, true)
	take(true, true)
	refused := take(true, false)
	asks := take(false, false)
	hit, victim, ok := tb.AdmitsKept(asks)
	require.Equal(t, LimitConns, hit)
	require.Same(t, refused, victim)
	require.True(t, ok)
	tb.Remove(refused)
	_, _, ok = tb.AdmitsKept(asks)
	require.True(t, ok)
	tb.Keep(asks, true)

	_, victim, ok = tb.Admits(netip.IPv6Loopback())
	require.True(t, ok, "three of five are taken, all for good")
	require.Nil(t, victim)
	newcomer := new(guest)
	_, victim, ok = tb.AdmitsKept(newcomer)
	require.False(t, ok)
	require.Nil(t, victim)
	first := take(false, false)
	take(false, false)
	_, victim, ok = tb.Admits(netip.IPv6Loopback())
	require.True(t, ok)
	require.Same(t, first, victim, "requests make room for requests")
}
