package testbed

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// TCP states in which an end that was sent is not acknowledged.
const (
	tcpFinWait1 = 4
	tcpLastAck  = 9
	tcpClosing  = 11
)

// delivered waits until the other side's system has all that was sent, an end
// included: on a busy machine it may be behind what is sent later on another
// connection. It gives up after a second, or when nothing can be known.
func delivered(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	for begun := time.Now(); time.Since(begun) < time.Second; time.Sleep(100 * time.Microsecond) {
		done := true
		err := raw.Control(func(fd uintptr) {
			queued, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
			info, err2 := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
			if err == nil && err2 == nil {
				done = queued == 0 && info.State != tcpFinWait1 && info.State != tcpLastAck && info.State != tcpClosing
			}
		})
		if done || err != nil {
			return
		}
	}
}
