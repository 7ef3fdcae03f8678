package sockets

import (
	"errors"
	"syscall"
)

// ErrNoPeer says that a connection has ended: it has no peer any more.
var ErrNoPeer = errors.New("the connection has ended")

// IsShort says whether an error is that the system or the process has no more files or
// memory.
func IsShort(err error) bool {
	return NoFiles(err) || errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

// IsBroken says whether an error of the system is that the socket itself is no good: to
// accept on it cannot succeed again.
func IsBroken(errno syscall.Errno) bool {
	switch errno {
	case syscall.EBADF, syscall.EINVAL, syscall.ENOTSOCK, syscall.EFAULT, syscall.EOPNOTSUPP:
		return true
	}
	return false
}

// NoFiles says whether an error is that there is no descriptor left.
func NoFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
