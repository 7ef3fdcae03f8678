package testbed

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Open says whether the daemon has neither closed nor reset the connection. It does not
// wait, and takes nothing in.
func (c *Conn) Open() bool {
	raw, err := c.c.SyscallConn()
	if err != nil {
		return false // closed by us
	}
	open := false
	err = raw.Control(func(fd uintptr) {
		n, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		open = n > 0 || errors.Is(err, unix.EAGAIN)
	})
	return open && err == nil
}
