package sockets

import (
	"errors"
	"syscall"
)

// ErrNoPeer says that a connection has ended: it has no peer any more.
var ErrNoPeer = errors.New("the connection has ended")

// NoFiles says whether an error is that there is no descriptor left.
func NoFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
