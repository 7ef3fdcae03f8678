package epmd

import (
	"net"
	"net/netip"
)

// sameMachine is the address of peers that are on this machine by the nature of
// their transport.
var sameMachine = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// addrOf is the IP address of one end of a connection: loopback for Unix
// sockets and pipes in memory, invalid (so not local) if it has none.
func addrOf(a net.Addr) netip.Addr {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap()
	case *net.UnixAddr:
		return sameMachine
	case nil:
		return netip.Addr{}
	}
	if a.Network() == "pipe" {
		return sameMachine
	}
	if ap, err := netip.ParseAddrPort(a.String()); err == nil {
		return ap.Addr().Unmap()
	}
	return netip.Addr{}
}
