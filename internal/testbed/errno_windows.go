package testbed

import (
	"errors"
	"syscall"
)

// Windows has numbers of its own for socket errors.
const (
	wsaEINVAL        = syscall.Errno(10022)
	wsaEAFNOSUPP     = syscall.Errno(10047)
	wsaEADDRNOTAVAIL = syscall.Errno(10049)
	wsaENETUNREACH   = syscall.Errno(10051)
	wsaECONNABORTED  = syscall.Errno(10053)
	wsaECONNRESET    = syscall.Errno(10054)
	wsaENOTCONN      = syscall.Errno(10057)
	wsaECONNREFUSED  = syscall.Errno(10061)
)

// isRefusal says that nobody listens, or not any more.
func isRefusal(err error) bool {
	return errors.Is(err, wsaECONNREFUSED) || errors.Is(err, wsaECONNRESET)
}

// isNoAddress says that this machine has no such address.
func isNoAddress(err error) bool {
	return errors.Is(err, wsaEADDRNOTAVAIL) || errors.Is(err, wsaENETUNREACH) || errors.Is(err, wsaEAFNOSUPP)
}

// hungUp says that an error is only that the daemon has closed.
func hungUp(err error) bool {
	return errors.Is(err, wsaECONNRESET) || errors.Is(err, wsaECONNABORTED) || errors.Is(err, wsaENOTCONN) || errors.Is(err, wsaEINVAL)
}
