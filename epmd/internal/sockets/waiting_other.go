//go:build !unix

package sockets

import "net"

// HasWaiting cannot be known here.
func HasWaiting(net.Listener) bool { return false }
