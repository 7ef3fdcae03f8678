package sockets

import (
	"net"
	"net/netip"
)

// SameMachine is the address of peers that are on this machine by the nature of
// their transport.
var SameMachine = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// AddrOf is the IP address of one end of a connection: loopback for Unix
// sockets and pipes in memory, invalid (so not local) if it has none.
func AddrOf(a net.Addr) netip.Addr {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.AddrPort().Addr().Unmap()
	case *net.UnixAddr:
		return SameMachine
	case nil:
		return netip.Addr{}
	}
	if a.Network() == "pipe" {
		return SameMachine
	}
	if ap, err := netip.ParseAddrPort(a.String()); err == nil {
		return ap.Addr().Unmap()
	}
	return netip.Addr{}
}
