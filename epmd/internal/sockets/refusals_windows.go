package sockets

import (
	"errors"

	"golang.org/x/sys/windows"
)

// IsInUse says whether somebody else listens on the address already; WSAEACCES
// says it where the other program holds the port for itself.
func IsInUse(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}

// IsNoFamily says whether the system lacks the address family.
func IsNoFamily(err error) bool {
	return errors.Is(err, windows.WSAEAFNOSUPPORT) || errors.Is(err, windows.WSAEPROTONOSUPPORT)
}

// IsReset says whether the other side has reset the connection.
func IsReset(err error) bool { return errors.Is(err, windows.WSAECONNRESET) }
