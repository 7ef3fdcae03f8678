package doctor

import (
	"errors"
	"syscall"
)

// wsaECONNREFUSED: Windows has numbers of its own for socket errors.
const wsaECONNREFUSED = syscall.Errno(10061)

// isRefused says whether nobody listens where a connection was tried.
func isRefused(err error) bool { return errors.Is(err, wsaECONNREFUSED) }
