package sockets

import (
	"net"
	"syscall"
)

// Usable says why a listener cannot be served, which is most likely that it is closed. Of
// those that are not the system's own it is not known, and the answer is nil.
func Usable(ln net.Listener) error {
	sc, ok := ln.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err == nil {
		err = raw.Control(func(uintptr) {})
	}
	return err
}

// CloseListeners closes listeners.
func CloseListeners[L net.Listener](lns []L) {
	for _, ln := range lns {
		_ = ln.Close() // there is nothing to lose in a listener
	}
}
