//go:build !windows

package sockets

import (
	"errors"
	"syscall"
)

// IsInUse says whether somebody else listens on the address already.
func IsInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// IsNoFamily says whether the system lacks the address family.
func IsNoFamily(err error) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EPROTONOSUPPORT)
}

// IsReset says whether the other side has reset the connection.
func IsReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }
