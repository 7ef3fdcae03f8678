package sockets

import "net"

// CloseListeners closes listeners.
func CloseListeners(lns []net.Listener) {
	for _, ln := range lns {
		_ = ln.Close() // there is nothing to lose in a listener
	}
}
