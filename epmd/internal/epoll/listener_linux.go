package epoll

import (
	"fmt"
	"net"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// listener is a listening socket of the epoll engine.
type listener struct {
	fd      int // -1 once it is closed
	addr    net.Addr
	serving *engine.Serving // whose it is
	unix    net.Listener    // of a Unix socket, to remove its file; else nil
	ready   bool            // connections wait
	early   bool            // those that wait came before PresetKeepAlive

	pause  time.Duration // the last one after a failure
	paused time.Duration // until when; 0: it is not
	// waiting is a connection that waits for AcceptDelay; -1 if none does.
	waiting int
	from    address
}

// Unfit says why the epoll engine cannot serve listeners; nil if it can.
func Unfit(lns []net.Listener) error {
	for _, ln := range lns {
		switch ln.(type) {
		case *net.TCPListener, *net.UnixListener:
		default:
			return fmt.Errorf("it takes listeners of type *net.TCPListener and *net.UnixListener, and not %T", ln)
		}
	}
	return nil
}

// openListeners duplicates the sockets of listeners. It closes the listeners of TCP,
// since Go's own event loop would wake up for each connection too.
func openListeners(lns []net.Listener, serving *engine.Serving) ([]*listener, error) {
	var opened []*listener
	for _, ln := range lns {
		fd, err := sockets.Duplicate(ln.(syscall.Conn))
		if err != nil {
			closeAll(opened)
			return nil, err
		}
		l := &listener{fd: fd, addr: ln.Addr(), serving: serving, waiting: -1}
		if u, ok := ln.(*net.UnixListener); ok {
			l.unix = u
		} else {
			_ = ln.Close() // its socket stays
		}
		opened = append(opened, l)
	}
	return opened, nil
}

// makeRoom gives the spare descriptor up for the duplicate of a listener, until back is
// called: so a full server can begin with no more descriptors than the one before had.
func (e *Engine) makeRoom() (back func()) {
	e.spare.Release()
	return func() { e.spare.Reserve() }
}

func closeAll(ls []*listener) {
	for _, l := range ls {
		l.close()
	}
}

func (l *listener) close() {
	if l.waiting >= 0 {
		closeFile(l.waiting)
	}
	closeFile(l.fd)
	l.fd, l.waiting, l.ready, l.paused = -1, -1, false, 0
	if l.unix != nil {
		_ = l.unix.Close() // there is nothing to lose in a listener
	}
}

// addListeners has epoll wake the loop for new connections. If it fails, it has closed the
// listeners.
func (e *Engine) addListeners(opened []*listener) error {
	for i, l := range opened {
		sockets.PresetKeepAlive(l.fd, e.limits.KeepAlive)
		at := slices.IndexFunc(e.listeners, func(old *listener) bool { return old.fd < 0 })
		if at < 0 {
			at = len(e.listeners)
			e.listeners = append(e.listeners, nil)
		}
		e.listeners[at] = l
		if err := watchFor(e.poll, unix.EPOLL_CTL_ADD, l.fd, unix.EPOLLIN, uint64(idListener+at)<<slotBits); err != nil {
			e.removeListeners(opened[:i+1])
			closeAll(opened[i+1:])
			return fmt.Errorf("epmd: cannot watch %s: %w", l.addr, err)
		}
	}
	e.listAddresses()
	return nil
}

// removeListeners closes some listeners; doing so again is fine.
func (e *Engine) removeListeners(some []*listener) {
	for _, l := range some {
		if l.fd >= 0 {
			// A close alone would leave the watch, where another process has the socket too.
			_ = watchFor(e.poll, unix.EPOLL_CTL_DEL, l.fd, 0, 0)
			l.close()
		}
	}
	e.listAddresses()
}

// listAddresses brings the addresses that the engine tells up to date.
func (e *Engine) listAddresses() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.addresses = nil
	for _, l := range e.listeners {
		if l.fd >= 0 {
			e.addresses = append(e.addresses, l.addr)
		}
	}
}

// listenerFailed closes a listener that failed for good. The engine ends with the last one.
func (e *Engine) listenerFailed(l *listener, errno unix.Errno) {
	e.log.Error("a listener failed for good", "address", l.addr, "err", errno)
	err := fmt.Errorf("epmd: cannot accept on %s: %w", l.addr, errno)
	e.removeListeners([]*listener{l})
	if !slices.ContainsFunc(e.listeners, func(l *listener) bool { return l.fd >= 0 }) {
		e.stop(err)
		return
	}
	l.serving.ListenerFailed(err)
}

// pauseListener accepts nothing from a listener for a while.
func (e *Engine) pauseListener(l *listener, d time.Duration) {
	l.ready, l.paused = false, e.now()+d
	e.watchListener(l, unix.EPOLLET) // which tells even an error once at most
	e.wakeAt(l.paused)
}

// watchListener changes the events for which a listener wakes the loop.
func (e *Engine) watchListener(l *listener, events uint32) {
	for i := range e.listeners {
		if e.listeners[i] == l {
			// It is watched already, so this takes no memory that could be short.
			_ = watchFor(e.poll, unix.EPOLL_CTL_MOD, l.fd, events, uint64(idListener+i)<<slotBits)
		}
	}
}
