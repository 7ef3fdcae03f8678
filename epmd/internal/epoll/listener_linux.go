package epoll

import (
	"fmt"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// listener is a listening socket of the epoll engine.
type listener struct {
	fd    int
	addr  net.Addr
	unix  net.Listener // of a Unix socket, to remove its file; else nil
	ready bool         // connections wait
	early bool         // those that wait came before PresetKeepAlive

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
func openListeners(lns []net.Listener) ([]*listener, error) {
	var taken []*listener
	for _, ln := range lns {
		fd, err := sockets.Duplicate(ln.(syscall.Conn))
		if err != nil {
			closeAll(taken)
			return nil, err
		}
		l := &listener{fd: fd, addr: ln.Addr(), waiting: -1}
		if u, ok := ln.(*net.UnixListener); ok {
			l.unix = u
		} else {
			_ = ln.Close() // its socket stays
		}
		taken = append(taken, l)
	}
	return taken, nil
}

func closeAll(ls []*listener) {
	for _, l := range ls {
		l.close()
	}
}

func (l *listener) close() {
	if l.waiting >= 0 {
		closeFile(l.waiting)
		l.waiting = -1
	}
	closeFile(l.fd)
	if l.unix != nil {
		_ = l.unix.Close() // there is nothing to lose in a listener
	}
}

// watchListeners has epoll wake the loop for new connections.
func (e *Engine) watchListeners(taken []*listener) error {
	for i, l := range taken {
		e.listeners = append(e.listeners, l)
		sockets.PresetKeepAlive(l.fd, e.limits.KeepAlive)
		id := uint64(idListener+len(e.listeners)-1) << slotBits
		if err := watchFor(e.poll, unix.EPOLL_CTL_ADD, l.fd, unix.EPOLLIN, id); err != nil {
			closeAll(taken[i+1:])
			return fmt.Errorf("epmd: cannot watch %s: %w", l.addr, err)
		}
	}
	return nil
}

// closeListeners closes all listeners; calling it again is fine.
func (e *Engine) closeListeners() {
	for i, l := range e.listeners {
		if l.fd >= 0 {
			// A close alone would leave the watch, where another process has the socket too.
			_ = watchFor(e.poll, unix.EPOLL_CTL_DEL, l.fd, 0, 0)
			l.close()
			e.listeners[i] = &listener{fd: -1, waiting: -1}
		}
	}
	e.mu.Lock()
	e.addresses = nil
	e.mu.Unlock()
}

// pauseListener accepts nothing from a listener for a while.
func (e *Engine) pauseListener(l *listener, d time.Duration) {
	l.ready, l.paused = false, e.now()+d
	e.watchListener(l, 0)
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
