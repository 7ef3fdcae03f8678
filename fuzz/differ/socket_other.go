//go:build unix && !linux

package differ

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// socket makes a TCP socket that programs started meanwhile do not inherit.
func socket() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	return fd, err
}
