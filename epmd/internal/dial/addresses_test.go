package dial

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOrder: those of IPv4 come first, each once, in the resolver's order.
func TestOrder(t *testing.T) {
	var found []netip.Addr
	for _, a := range []string{"2001:db8::1", "192.0.2.1", "::ffff:192.0.2.1", "2001:db8::2", "192.0.2.2", "fe80::1%eth0"} {
		found = append(found, netip.MustParseAddr(a))
	}
	require.Equal(t, []string{"192.0.2.1:7", "192.0.2.2:7", "[2001:db8::1]:7", "[2001:db8::2]:7", "[fe80::1%eth0]:7"}, ordered(found, "7"))
}
