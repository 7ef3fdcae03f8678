//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// locks says whether files can be locked here.
const locks = true

// openFlags has no file that is opened hold this up.
const openFlags = unix.O_NONBLOCK

// lockFile locks a file for whoever has this descriptor, or inherits it, until the last one
// closes it or ends. It does not wait: the error is errTaken if somebody else has the
// lock, and the system's if there can be none.
func lockFile(f *os.File) error {
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return errTaken
		default:
			return os.NewSyscallError("flock", err)
		}
	}
}
