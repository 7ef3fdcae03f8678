package sockets

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddrOf(t *testing.T) {
	for want, addr := range map[string]net.Addr{
		"192.0.2.1":  &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1},
		"2001:db8::": &net.TCPAddr{IP: net.ParseIP("2001:db8::"), Port: 1},
		"127.0.0.1":  &net.UnixAddr{Name: "x", Net: "unix"},
		"192.0.2.2":  textAddr{"tcp", "192.0.2.2:80"},
		"invalid IP": textAddr{"tcp", "example.net:80"},
	} {
		require.Equal(t, want, AddrOf(addr).String())
	}
	require.Equal(t, "127.0.0.1", AddrOf(textAddr{"pipe", "pipe"}).String())
	require.False(t, AddrOf(nil).IsValid())
}

type textAddr struct{ network, text string }

func (a textAddr) Network() string { return a.network }
func (a textAddr) String() string  { return a.text }
