package epoll

import (
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/epmd/session"
)

// socket is one connection of the epoll engine. Each registered node has one for as long
// as it lives, so it is as small as can be.
type socket struct {
	places.Place[*socket]
	fd      int32
	port    uint16 // the other end's; 0 of a Unix socket
	inUse   bool
	watched bool  // epoll watches it
	work    *work // nil of a kept connection
}

// Unsent is how many bytes of the reply the peer has not read yet.
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

// remoteAddr is the peer's address.
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

// About makes socket a report.Subject.
func (c *socket) About() report.Conn {
	conn := report.Conn{Owner: c.Owner, Remote: c.remoteAddr(), Local: c.localAddr()}
	remote, ok := conn.Remote.(*net.TCPAddr)
	local, okLocal := conn.Local.(*net.TCPAddr)
	if ok && okLocal && c.Addr.IsLinkLocalUnicast() {
		remote.Zone = local.Zone // they share the interface
	}
	return conn
}

// work is what a connection needs until it is answered in full. The engine takes it back
// from a connection that is kept.
type work struct {
	session session.Session
	socket  *socket
	early   bool // accepted before the listener was told how to probe it

	// The answer, as far as it is not written yet.
	out     []byte
	shared  bool            // out is a kept list, or a copy
	after   session.Verdict // what to do when all is written
	err     error           // why the connection then ends
	whole   bool            // the request came in one piece, and nothing with it
	pending bool            // out counts in the table's Pending
	moved   bool            // the hook is to be told the connection's new state
	asked   time.Duration   // since the engine's start, if latencies are measured

	// The time-out that runs, if any.
	queue      *timeouts
	prev, next *work
	until      time.Duration // since the engine's start
}

// Remote and Local make work a session.Peer, About a report.Subject.
func (w *work) Remote() netip.Addr { return w.socket.Addr }

func (w *work) Local() netip.Addr { return w.socket.local() }

func (w *work) About() report.Conn { return w.socket.About() }

// timeouts is a queue of work by the time at which each times out. All of one queue wait
// equally long, so the newest goes to the end; no connection needs a timer of its own.
type timeouts struct {
	wait        time.Duration // 0: for ever
	first, last *work
}

// startTimeout starts a time-out, in place of one that runs. A queue without a wait has
// none.
func (w *work) startTimeout(l *timeouts, now time.Duration) {
	w.stopTimeout()
	if l.wait == 0 {
		return
	}
	w.queue, w.until = l, now+l.wait
	w.prev = l.last
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
}

// stopTimeout stops the time-out that runs, if any.
func (w *work) stopTimeout() {
	l := w.queue
	if l == nil {
		return
	}
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.queue, w.prev, w.next = nil, nil, nil
}

// startTimeoutSince starts a time-out that has run since an earlier time, among those
// that end before and after it.
func (w *work) startTimeoutSince(l *timeouts, since time.Duration) {
	w.stopTimeout()
	if l.wait == 0 {
		return
	}
	w.queue, w.until = l, since+l.wait
	before := l.last
	for before != nil && before.until > w.until {
		before = before.prev
	}
	w.prev, w.next = before, l.first
	if before != nil {
		w.next, before.next = before.next, w
	} else {
		l.first = w
	}
	if w.next != nil {
		w.next.prev = w
	} else {
		l.last = w
	}
}
