//go:build !linux

package testbed

import (
	"net"
	"time"
)

// delivered waits for as long as it usually takes until the other side's system
// has what was sent.
func delivered(*net.TCPConn) { time.Sleep(5 * time.Millisecond) }
