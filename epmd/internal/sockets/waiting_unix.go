//go:build unix

package sockets

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// HasWaiting says whether connections wait to be accepted. Of listeners that are not the
// system's own it is not known.
func HasWaiting(ln net.Listener) bool {
	sc, ok := ln.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false // it is closed
	}
	some := false
	_ = raw.Control(func(fd uintptr) { some = Readable(int(fd), true) }) // fails if it is closed
	return some
}

// Readable says whether a descriptor can be read, or a connection accepted, at once. If
// the system is interrupted and does not say, the answer is the given one.
func Readable(fd int, interrupted bool) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	if err == unix.EINTR {
		return interrupted
	}
	return n > 0
}
