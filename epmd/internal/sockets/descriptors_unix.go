//go:build unix

package sockets

import (
	"errors"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// FileLimit is how many files the process may have open; 0 is not known. (The Go
// runtime raises the soft limit to the hard one when a program starts.)
func FileLimit() int {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0
	}
	return int(min(uint64(l.Cur), 1<<30)) //nolint:unconvert // it is signed on FreeBSD
}

// Duplicate gives another descriptor of a socket.
func Duplicate(c syscall.Conn) (fd int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd = -1
	var dupErr error
	err = raw.Control(func(old uintptr) { fd, dupErr = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	return fd, errors.Join(err, dupErr)
}

// CloseAll closes descriptors.
func CloseAll(files []int) {
	for _, fd := range files {
		_ = unix.Close(fd) // others have it, or nobody wants it
	}
}

// Adopt takes the descriptor out of a file, which it closes, and gives the peer's
// address. An error means that there is no peer any more.
func Adopt(f *os.File) (int, netip.AddrPort, error) {
	defer func() { _ = f.Close() }() // there is another one
	fd, err := Duplicate(f)
	if err != nil {
		return -1, netip.AddrPort{}, err
	}
	sa, err := unix.Getpeername(fd)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		CloseAll([]int{fd})
		return -1, netip.AddrPort{}, err
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return fd, netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), nil
	case *unix.SockaddrInet6:
		return fd, netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port)), nil
	}
	return fd, netip.AddrPortFrom(SameMachine, 0), nil
}
