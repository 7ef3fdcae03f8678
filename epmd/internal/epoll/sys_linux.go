package epoll

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// The system calls of the loop. None of them can block, since the sockets are
// asked not to, so the scheduler need not know of them: RawSyscall. Only
// waitEvents with block set tells it.

// waitEvents fills in what is ready. An interruption is nothing ready.
func waitEvents(poll int, events []unix.EpollEvent, block bool) int {
	var n uintptr
	var errno unix.Errno
	// Not epoll_wait, which not every architecture has.
	if block {
		n, _, errno = unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(poll),
			uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), ^uintptr(0), 0, 0)
	} else {
		n, _, errno = unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(poll),
			uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	}
	if errno != 0 {
		return 0
	}
	return int(n)
}

// watchFor tells the system for which events of a descriptor it is to wake the loop, and
// under which number.
func watchFor(poll, op, fd int, events uint32, id uint64) error {
	e := unix.EpollEvent{Events: events, Fd: int32(uint32(id)), Pad: int32(uint32(id >> 32))}
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(poll), uintptr(op), uintptr(fd),
		uintptr(unsafe.Pointer(&e)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// eventID is the number that watchFor was given.
func eventID(e *unix.EpollEvent) uint64 { return uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32 }

// address is where the system writes the other end's address.
type address struct {
	raw unix.RawSockaddrAny
	len uint32
}

// accept never waits. Whether it might is the mode of the socket, which all processes share
// that have it, and accept4 has no flag of its own; another process may also accept what
// epoll has told here. So it looks at the mode each time, and puts it right if another has
// changed it, which costs a fiftieth of a lookup. To look for connections first would cost
// more, and would not do where two accept.
func accept(fd int, from *address) (int, unix.Errno) {
	mode, _, errno := unix.RawSyscall(unix.SYS_FCNTL, uintptr(fd), unix.F_GETFL, 0)
	if errno == 0 && mode&unix.O_NONBLOCK == 0 {
		_, _, _ = unix.RawSyscall(unix.SYS_FCNTL, uintptr(fd), unix.F_SETFL, mode|unix.O_NONBLOCK) // a socket takes it
	}
	from.len = uint32(unsafe.Sizeof(from.raw))
	n, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd),
		uintptr(unsafe.Pointer(&from.raw)), uintptr(unsafe.Pointer(&from.len)), unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0, 0)
	return int(n), errno
}

// addrPort reads an address: loopback for a Unix socket.
func (a *address) addrPort() netip.AddrPort {
	switch a.raw.Addr.Family {
	case unix.AF_INET:
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(&a.raw))
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), bigEndian(&in.Port))
	case unix.AF_INET6:
		in := (*unix.RawSockaddrInet6)(unsafe.Pointer(&a.raw))
		return netip.AddrPortFrom(netip.AddrFrom16(in.Addr).Unmap(), bigEndian(&in.Port))
	}
	return netip.AddrPortFrom(sockets.SameMachine, 0)
}

func bigEndian(p *uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(p))
	return uint16(b[0])<<8 | uint16(b[1])
}

// receive reads once. Nothing and no error is the end of the stream.
func receive(fd int, b []byte) (int, unix.Errno) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
			uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n), 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// send writes what the socket takes, and says how much that was. An error of
// EAGAIN is the system's word for "full".
func send(fd int, b []byte, flags int) (int, unix.Errno) {
	sent := 0
	for sent < len(b) {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
			uintptr(unsafe.Pointer(&b[sent])), uintptr(len(b)-sent), uintptr(unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL|flags), 0, 0)
		switch errno {
		case 0:
			sent += int(n)
		case unix.EINTR:
		default:
			return sent, errno
		}
	}
	return sent, 0
}

// closeFile closes a descriptor. It has nothing to say that could be acted on: the
// descriptor is gone in any case.
func closeFile(fd int) { _, _, _ = unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// reset has the close that follows break the connection: a list that ends in good
// order would look whole to its reader. It fails only on a broken connection.
func reset(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}
