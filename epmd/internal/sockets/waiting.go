package sockets

import (
	"net"
	"syscall"
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
