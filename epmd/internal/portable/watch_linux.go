package portable

import (
	"net"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/registry"
)

// watch tells at once which registered connections have ended, or have sent
// something, while their goroutines may not have run yet. The end of one
// connection and a request on another then take effect in the order in which they
// came. A nil watch reports nothing.
type watch struct {
	mu     sync.Mutex
	fd     int // of epoll; -1 once it is closed
	events [64]unix.EpollEvent
}

// newWatch begins one. Where the system has no more files it is nil, and the end
// of a connection may take effect a moment later.
func newWatch() *watch {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	return &watch{fd: fd}
}

// add begins to watch a connection, until it is closed. Of TLS and the like what
// waits to be read may be no data at all: those are left to their goroutines. What is
// sent on a connection that takes more does not end it. Doing it again lets what has
// happened already be told again.
func (w *watch) add(c net.Conn, o registry.Owner, takesMore bool) {
	raw := sockets.Raw(c)
	if w == nil || raw == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd < 0 {
		return
	}
	event := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT,
		Fd:     int32(uint32(o)), Pad: int32(uint32(o >> 32)), // 64 bits of our own
	}
	if takesMore {
		event.Events &^= unix.EPOLLIN
	}
	// Where this fails, the connection is closed already or the system is short
	// of memory, and its goroutine will notice its end.
	_ = raw.Control(func(fd uintptr) {
		if unix.EpollCtl(w.fd, unix.EPOLL_CTL_ADD, int(fd), &event) == unix.EEXIST {
			_ = unix.EpollCtl(w.fd, unix.EPOLL_CTL_MOD, int(fd), &event)
		}
	})
}

// sweep releases the owners of connections that have ended, whatever they hold. Another sweep waits
// for this one, and so never answers with what this one is about to release.
func (w *watch) sweep(e *Engine, _ []byte) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.fd >= 0 {
		n, err := unix.EpollWait(w.fd, w.events[:], 0)
		if err == unix.EINTR {
			continue
		}
		for _, ev := range w.events[:max(n, 0)] {
			why := registry.ReasonData
			if ev.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
				why = registry.ReasonClosed
			}
			e.registry.Release(registry.Owner(uint32(ev.Fd))|registry.Owner(uint32(ev.Pad))<<32, why)
		}
		if n < len(w.events) {
			return
		}
	}
}

// close ends the watch; closing it twice is fine.
func (w *watch) close() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd >= 0 {
		_ = unix.Close(w.fd) // nothing is lost in it
		w.fd = -1
	}
}
