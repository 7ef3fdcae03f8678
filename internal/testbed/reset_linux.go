package testbed

import (
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reset breaks a connection at once. To close it is not enough: a program that is
// being started holds a copy of the socket until it runs, and the reset comes only
// when the last copy is closed.
func reset(c *net.TCPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	nowhere := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	var errno unix.Errno
	err = raw.Control(func(fd uintptr) {
		_, _, errno = unix.Syscall(unix.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&nowhere)), unsafe.Sizeof(nowhere))
	})
	if err == nil && errno != 0 && !hungUp(errno) {
		err = errno
	}
	return err
}
