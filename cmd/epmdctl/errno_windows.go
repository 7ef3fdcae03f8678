package main

import (
	"errors"
	"syscall"
)

// Windows has numbers of its own for socket errors.
const (
	wsaEACCES       = syscall.Errno(10013)
	wsaEAFNOSUPPORT = syscall.Errno(10047)
	wsaADDRNOTAVAIL = syscall.Errno(10049)
	wsaENETUNREACH  = syscall.Errno(10051)
	wsaECONNABORTED = syscall.Errno(10053)
	wsaECONNRESET   = syscall.Errno(10054)
	wsaECONNREFUSED = syscall.Errno(10061)
	wsaEHOSTUNREACH = syscall.Errno(10065)
)

func isRefused(err error) bool { return errors.Is(err, wsaECONNREFUSED) }

func isReset(err error) bool {
	return errors.Is(err, wsaECONNRESET) || errors.Is(err, wsaECONNABORTED)
}

// isUnreachable says whether there is no way to the address.
func isUnreachable(err error) bool {
	for _, no := range []error{wsaEHOSTUNREACH, wsaENETUNREACH, wsaADDRNOTAVAIL, wsaEAFNOSUPPORT, wsaEACCES} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}
