package epmd

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestListenAddrs: which addresses are listened on, and which are implied.
func TestListenAddrs(t *testing.T) {
	tests := map[string]struct {
		named, want []string
		implied     int
	}{
		"none":              {nil, []string{"0.0.0.0", "::"}, 0},
		"one":               {[]string{"192.0.2.1"}, []string{"127.0.0.1", "::1", "192.0.2.1"}, 2},
		"loopback":          {[]string{"127.0.0.1"}, []string{"127.0.0.1", "::1"}, 2},
		"twice":             {[]string{"192.0.2.1", "::1", "192.0.2.1"}, []string{"127.0.0.1", "::1", "192.0.2.1"}, 2},
		"all of IPv4":       {[]string{"0.0.0.0"}, []string{"::1", "0.0.0.0"}, 1},
		"all of IPv6":       {[]string{"::"}, []string{"127.0.0.1", "::"}, 1},
		"all of both":       {[]string{"::", "0.0.0.0"}, []string{"0.0.0.0", "::"}, 0},
		"all, and one":      {[]string{"192.0.2.1", "127.0.0.1", "0.0.0.0"}, []string{"::1", "0.0.0.0", "192.0.2.1", "127.0.0.1"}, 1},
		"another loopback":  {[]string{"127.0.0.2"}, []string{"127.0.0.1", "::1", "127.0.0.2"}, 2},
		"IPv6 with a zone":  {[]string{"fe80::1%lo"}, []string{"127.0.0.1", "::1", "fe80::1%lo"}, 2},
		"IPv4 in IPv6 form": {[]string{"::ffff:192.0.2.1"}, []string{"127.0.0.1", "::1", "::ffff:192.0.2.1"}, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := new(Server)
			for _, a := range tt.named {
				s.Addresses = append(s.Addresses, netip.MustParseAddr(a))
			}
			addrs, implied := s.listenAddrs()
			var got []string
			for _, a := range addrs {
				got = append(got, a.String())
			}
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.implied, implied)
		})
	}
}

// TestPort: what the lists tell as the server's own port.
func TestPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, ln.Close()) }()
	tcp := uint16(ln.Addr().(*net.TCPAddr).Port)
	require.Equal(t, tcp, new(Server).port([]net.Listener{ln}))
	require.EqualValues(t, 4369, new(Server).port(nil))
	require.EqualValues(t, 4711, (&Server{Port: 4711}).port([]net.Listener{ln}))
}
