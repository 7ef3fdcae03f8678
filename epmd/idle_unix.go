//go:build unix

package epmd

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// waits says whether connections wait to be accepted; of listeners that are not the
// system's own it is not known.
func waits(ln net.Listener) bool {
	sc, ok := ln.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false // it is closed
	}
	some := false
	_ = raw.Control(func(fd uintptr) { some = readable(int(fd)) }) // fails if it is closed
	return some
}

// readable says whether a descriptor can be read, or a connection accepted, at once.
func readable(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == unix.EINTR || n > 0 // not known is as good as yes: it is asked again
}
