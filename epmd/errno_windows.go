package epmd

import (
	"errors"
	"syscall"
)

// Windows has numbers of its own for socket errors.
const (
	wsaEACCES      = syscall.Errno(10013)
	wsaEAFNOSUPP   = syscall.Errno(10047)
	wsaEADDRINUSE  = syscall.Errno(10048)
	wsaEPROTONOSUP = syscall.Errno(10043)
	wsaECONNRESET  = syscall.Errno(10054)
)

// isInUse says whether somebody else listens on the address already; WSAEACCES
// says it where the other program holds the port for itself.
func isInUse(err error) bool {
	return errors.Is(err, wsaEADDRINUSE) || errors.Is(err, wsaEACCES)
}

// isNoFamily says whether the system lacks the address family.
func isNoFamily(err error) bool {
	return errors.Is(err, wsaEAFNOSUPP) || errors.Is(err, wsaEPROTONOSUP)
}

// isReset says whether the other side has reset the connection.
func isReset(err error) bool { return errors.Is(err, wsaECONNRESET) }
