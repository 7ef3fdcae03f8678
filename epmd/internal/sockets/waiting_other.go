//go:build !unix

package sockets

import "net"

// HasWaiting cannot know here.
func HasWaiting(net.Listener) bool { return false }
