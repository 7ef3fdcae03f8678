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

	_, victim, ok = tb.Admits(netip.IPv6Loopback(), true)
	require.True(t, ok, "three of five are taken, all for good")
	require.Nil(t, victim)
	newcomer := new(guest)
	_, victim, ok = tb.AdmitsKept(newcomer)
	require.False(t, ok)
	require.Nil(t, victim)
	first := take(false, false)
	take(false, false)
	_, victim, ok = tb.Admits(netip.IPv6Loopback(), true)
	require.True(t, ok)
	require.Same(t, first, victim, "requests make room for requests")
}

// TestPeers: a peer has a share of the unfinished connections and a bound on all of its
// own. Of IPv6 it is a network of 64 bits, whatever addresses it takes in it.
func TestPeers(t *testing.T) {
	for name, tt := range map[string]struct{ first, same, other string }{
		"IPv4":             {"192.0.2.1", "192.0.2.1", "192.0.2.2"},
		"IPv4 within IPv6": {"::ffff:192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"},
		"IPv6":             {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::1"},
		"zones":            {"fe80::1%a", "fe80::2%a", "fe80::1%b"},
	} {
		t.Run(name, func(t *testing.T) {
			first, same, other := netip.MustParseAddr(tt.first), netip.MustParseAddr(tt.same), netip.MustParseAddr(tt.other)
			var tb Table[*guest]
			tb.Init(Limits{MaxConns: 100, MaxKept: 100, MaxConnsPerPeer: 4, MaxUnfinished: 8, MaxUnfinishedPerPeer: 2, MaxRefused: 9})
			add := func(from netip.Addr) *guest {
				c := &guest{Place[*guest]{Addr: from}}
				tb.Add(c)
				return c
			}
			requireAdmits := func(from netip.Addr, waits bool, want Limit) {
				t.Helper()
				hit, victim, ok := tb.Admits(from, waits)
				require.Equal(t, want, hit)
				require.Equal(t, want == LimitNone, ok)
				require.Nil(t, victim)
			}
			guests := []*guest{add(first), add(same)}
			requireAdmits(same, true, LimitPeer)
			requireAdmits(same, false, LimitNone)
			requireAdmits(other, true, LimitNone)
			tb.Keep(guests[0], false)
			requireAdmits(first, true, LimitNone)
			guests = append(guests, add(first))
			requireAdmits(same, true, LimitPeer)
			tb.Remove(guests[1])
			requireAdmits(same, true, LimitNone)
			tb.Keep(guests[2], true)
			guests = append(guests, add(same), add(same))
			requireAdmits(first, false, LimitPeer)
			requireAdmits(other, true, LimitNone)
			for range 2 {
				for _, c := range guests {
					tb.Remove(c)
				}
			}
			require.Empty(t, tb.peers)
		})
	}
}
