package epoll

import (
	"net"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// socket is one connection of the epoll engine. There is one for each registered
// node, so it holds no more than it must.
type socket struct {
	places.Place[*socket]
	fd      int32
	port    uint16 // the other end's; 0 of a Unix socket
	inUse   bool
	watched bool  // epoll knows it
	work    *work // nil while it is kept
}

// waits is how many bytes the other end has not taken yet.
func (c *socket) Unsent() int {
	if c.work == nil {
		return 0
	}
	return len(c.work.out)
}

// local is this side's address.
func (c *socket) local() netip.Addr { return sockets.AddrOf(c.localAddr()) }

func (c *socket) localAddr() net.Addr {
	sa, err := unix.Getsockname(int(c.fd))
	if err != nil {
		return nil // which is no local peer
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: sa.Addr[:], Port: sa.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: sa.Addr[:], Port: sa.Port, Zone: zone(sa.ZoneId)}
	case *unix.SockaddrUnix:
		return &net.UnixAddr{Name: sa.Name, Net: "unix"}
	}
	return nil
}

func (c *socket) remoteAddr() net.Addr {
	if c.port == 0 {
		return &net.UnixAddr{Net: "unix"}
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(c.Addr, c.port))
}

// zone is the name of the interface that a link-local address belongs to.
func zone(id uint32) string {
	if id == 0 {
		return ""
	}
	i, err := net.InterfaceByIndex(int(id))
	if err != nil {
		return "" // it is gone
	}
	return i.Name
}

// About makes it a subject of reports.
func (c *socket) About() report.Conn {
	conn := report.Conn{Owner: c.Owner, Remote: c.remoteAddr(), Local: c.localAddr()}
	remote, ok := conn.Remote.(*net.TCPAddr)
	local, okLocal := conn.Local.(*net.TCPAddr)
	if ok && okLocal && c.Addr.IsLinkLocalUnicast() {
		remote.Zone = local.Zone // they share the interface
	}
	return conn
}
