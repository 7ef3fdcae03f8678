package testbed

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isRefusal says that nobody listens, or not any more.
func isRefusal(err error) bool {
	return errors.Is(err, windows.WSAECONNREFUSED) || errors.Is(err, windows.WSAECONNRESET)
}

// isNoAddress says that this machine has no such address.
func isNoAddress(err error) bool {
	return errors.Is(err, windows.WSAEADDRNOTAVAIL) || errors.Is(err, windows.WSAENETUNREACH) || errors.Is(err, windows.WSAEAFNOSUPPORT)
}

// hungUp says that an error is only that the daemon has closed.
func hungUp(err error) bool {
	return errors.Is(err, windows.WSAECONNRESET) || errors.Is(err, windows.WSAECONNABORTED) || errors.Is(err, windows.WSAENOTCONN) || errors.Is(err, windows.WSAEINVAL)
}
