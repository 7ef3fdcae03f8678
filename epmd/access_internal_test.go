package epmd

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlain: networks of mapped addresses are those of IPv4, the server's own list stays
// as it is, and no list is not an empty one.
func TestPlain(t *testing.T) {
	require.Nil(t, plain(nil))
	require.NotNil(t, plain([]netip.Prefix{}))
	given := []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::/0"), {},
		netip.PrefixFrom(netip.MustParseAddr("::ffff:10.0.0.0"), 104),
		netip.PrefixFrom(netip.MustParseAddr("::ffff:0.0.0.0"), 96),
		netip.PrefixFrom(netip.MustParseAddr("::ffff:10.1.2.3"), 128),
		netip.PrefixFrom(netip.MustParseAddr("::ffff:0.0.0.0"), 95),
	}
	got := plain(given)
	require.Equal(t, []netip.Prefix{
		given[0], given[1], {},
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("10.1.2.3/32"), given[6],
	}, got)
	require.True(t, given[3].Addr().Is4In6())
}
