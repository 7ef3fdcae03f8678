//go:build unix

package sockets

import (
	"errors"
	"fmt"
	"net"
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

// FileConn makes a connection of a descriptor, which it closes. If it fails, the descriptor
// stays open.
func FileConn(fd int) (net.Conn, error) {
	other, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(other), "connection")
	c, err := net.FileConn(f)
	_ = f.Close() // the connection has one of its own
	if err != nil {
		return nil, err
	}
	CloseAll([]int{fd})
	return c, nil
}

// CloseAll closes descriptors.
func CloseAll(files []int) {
	for _, fd := range files {
		_ = unix.Close(fd) // others have it, or nobody wants it
	}
}

// Room fails if the process may not have so many more files open, beside those that it has.
// highest is the highest descriptor that is known, or 0. It tries with duplicates of c, and
// says how many files the process would need in all.
func Room(c syscall.Conn, more, highest int) error {
	files := make([]int, 0, more)
	defer func() { CloseAll(files) }()
	for len(files) < more {
		fd, err := Duplicate(c)
		switch {
		case NoFiles(err):
			limit := FileLimit()
			needed := max(limit, highest+1) + more - len(files)
			return fmt.Errorf("%d open files are needed, and the limit is %d: raise it, by LimitNOFILE= of a unit of systemd or ulimit -n, and try again: %w", needed, limit, err)
		case err != nil:
			return err
		}
		files = append(files, fd)
	}
	return nil
}

// Adopt takes the descriptor out of a file, which it closes, and gives the peer's
// address. If the process has no descriptor left, the file stays as it is; after any
// other error it is closed too.
func Adopt(f *os.File) (int, netip.AddrPort, error) {
	fd, err := Duplicate(f)
	if NoFiles(err) {
		return -1, netip.AddrPort{}, err
	}
	_ = f.Close() // there is another one, or it is none that can be used
	if err != nil {
		return -1, netip.AddrPort{}, err
	}
	sa, err := unix.Getpeername(fd)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		CloseAll([]int{fd})
		if err == unix.ENOTCONN || err == unix.EINVAL { // which BSD says
			err = ErrNoPeer
		}
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
