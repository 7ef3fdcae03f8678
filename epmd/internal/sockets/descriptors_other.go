//go:build !unix

package sockets

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// FileLimit is how many files the process may have open; 0 is not known.
func FileLimit() int { return 0 }

// Room cannot know here.
func Room(syscall.Conn, int, int) error { return nil }

func FileConn(int) (net.Conn, error)      { return nil, errors.ErrUnsupported }
func CloseAll([]int)                      {}
func Duplicate(syscall.Conn) (int, error) { return -1, errors.ErrUnsupported }

func Adopt(f *os.File) (int, netip.AddrPort, error) {
	_ = f.Close() // it cannot be used
	return -1, netip.AddrPort{}, errors.ErrUnsupported
}
