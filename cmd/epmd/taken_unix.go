//go:build unix

package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd"
)

// portTaken says whether a server could not listen since somebody else does. It binds the
// addresses, and does not listen: nobody can connect meanwhile.
func portTaken(ctx context.Context, s *epmd.Server) bool {
	addrs := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	if len(s.Addresses) > 0 {
		addrs = append([]netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, s.Addresses...)
	}
	for _, a := range addrs {
		if errors.Is(bind(ctx, netip.AddrPortFrom(a, s.Port)), unix.EADDRINUSE) {
			return true
		}
	}
	return false
}

var errNotNow = errors.New("this socket does not listen")

// bind binds a socket as a listener is bound, and closes it.
func bind(ctx context.Context, to netip.AddrPort) (err error) {
	network, at := "tcp6", unix.Sockaddr(&unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()})
	if to.Addr().Is4() {
		network, at = "tcp4", &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		controlErr := c.Control(func(fd uintptr) { err = unix.Bind(int(fd), at) })
		return errors.Join(errNotNow, controlErr) // before it would listen
	}}
	lc.SetMultipathTCP(false)
	_, _ = lc.Listen(ctx, network, to.String()) // fails always
	return err
}
