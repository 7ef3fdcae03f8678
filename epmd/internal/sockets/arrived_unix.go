//go:build unix

package sockets

import "golang.org/x/sys/unix"

const (
	tellsArrived = true
	peek         = unix.MSG_PEEK
)

// receive reads from a socket without waiting; errNothing if nothing has arrived.
func receive(fd uintptr, b []byte, flags int) (int, error) {
	for {
		n, _, err := unix.Recvfrom(int(fd), b, flags|unix.MSG_DONTWAIT)
		switch err {
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, errNothing
		default:
			return max(n, 0), err
		}
	}
}

// Readable says whether a descriptor can be read, or a connection accepted, at once. If
// the system is interrupted and does not say, the answer is the given one.
func Readable(fd int, interrupted bool) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	if err == unix.EINTR {
		return interrupted
	}
	return n > 0
}
