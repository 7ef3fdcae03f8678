//go:build !unix

package epmd

import (
	"errors"
	"net/netip"
	"os"
	"syscall"
)

// fileLimit is how many files the process may have open; 0 is not known.
func fileLimit() int { return 0 }

func closeFiles([]int)                    {}
func duplicate(syscall.Conn) (int, error) { return -1, errors.ErrUnsupported }

func adopt(f *os.File) (int, netip.AddrPort, error) {
	_ = f.Close() // it cannot be used
	return -1, netip.AddrPort{}, errors.ErrUnsupported
}
