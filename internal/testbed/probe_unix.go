//go:build unix

package testbed

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// isFree says whether nobody listens on a port, at any address. Its socket never listens: on
// Linux a copy of it, which a program that is being started has for a moment, is then in no
// daemon's way. Elsewhere it would be, so no program is started meanwhile.
func isFree(port uint16) bool {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	for _, at := range []struct {
		family int
		addr   unix.Sockaddr
	}{
		{unix.AF_INET6, &unix.SockaddrInet6{Port: int(port)}},
		{unix.AF_INET, &unix.SockaddrInet4{Port: int(port)}},
	} {
		fd, err := unix.Socket(at.family, unix.SOCK_STREAM, 0)
		if err != nil {
			continue // this machine lacks the family
		}
		// Connections that have ended do not matter.
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		if err == nil {
			err = unix.Bind(fd, at.addr)
		}
		_ = unix.Close(fd)                           // nothing was done with it
		if err != nil && err != unix.EADDRNOTAVAIL { // IPv6 is there, but off
			return false
		}
	}
	return true
}
