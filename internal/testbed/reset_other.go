//go:build !linux

package testbed

import "net"

// reset lets the close that follows break the connection.
func reset(c *net.TCPConn) error { return c.SetLinger(0) }
