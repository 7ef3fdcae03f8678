//go:build !windows

package epmd

import (
	"errors"
	"syscall"
)

// isInUse says whether somebody else listens on the address already.
func isInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// isNoFamily says whether the system lacks the address family.
func isNoFamily(err error) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EPROTONOSUPPORT)
}

// isReset says whether the other side has reset the connection.
func isReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }
