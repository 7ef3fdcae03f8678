package bench

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The sockets are used directly, blocking, on threads of their own: a load program
// that costs as much as package net would leave the server too little of a small machine.

// patience is how long an operation may take before it counts as failed.
const patience = 10 * time.Second

// connsPerSource is how many connections come from one source address. The kernel
// keeps the address and port of a connection for a minute after its end, so
// that 28,000 ports of one address are soon used up.
const connsPerSource = 2000

// A dialer makes connections from loopback addresses of its own, 127.block.0.1 onwards.
type dialer struct {
	to, from unix.SockaddrInet4
	made     int
	timeout  unix.Timeval
}

func newDialer(port uint16, block byte) *dialer {
	return &dialer{
		to:      unix.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}},
		from:    unix.SockaddrInet4{Addr: [4]byte{127, block}},
		timeout: unix.NsecToTimeval(int64(patience)),
	}
}

// dial connects, and gives the socket.
func (d *dialer) dial() (fd int, err error) {
	source := 1 + d.made/connsPerSource
	d.made++
	d.from.Addr[2], d.from.Addr[3] = byte(source>>8), byte(source)
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	if err := d.connect(fd); err != nil {
		_ = unix.Close(fd) // it was never connected
		return -1, err
	}
	return fd, nil
}

func (d *dialer) connect(fd int) error {
	// The kernel chooses the port at connect, when it knows the other end: any port is
	// free that was not used to that end.
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return fmt.Errorf("bind without port: %w", err)
	}
	for _, o := range [...]int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, o, &d.timeout); err != nil {
			return fmt.Errorf("socket timeout: %w", err)
		}
	}
	if err := unix.Bind(fd, &d.from); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	err := unix.Connect(fd, &d.to)
	for errors.Is(err, unix.EINTR) || errors.Is(err, unix.EALREADY) {
		err = unix.Connect(fd, &d.to) // the kernel has gone on connecting
		if errors.Is(err, unix.EISCONN) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}

// The ways in which an answer can be wrong.
var (
	errWrong   = errors.New("wrong answer")
	errShort   = errors.New("closed before the answer was complete")
	errExcess  = errors.New("more than the answer")
	errRefused = errors.New("registration refused")
	errSlow    = errors.New("no answer in time")
)

// send sends a request, which fits in any socket buffer.
func send(fd int, request []byte) error {
	for len(request) > 0 {
		n, err := unix.SendmsgN(fd, request, nil, nil, unix.MSG_NOSIGNAL)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("send: %w", err)
		}
		request = request[max(n, 0):]
	}
	return nil
}

// receive fills b, or as much of it as comes before the end. It waits in the kernel
// for all of it: a caller that wants the end as well asks for a byte more than the
// answer has.
func receive(fd int, b []byte) (n int, err error) {
	for n < len(b) {
		// The call of package unix allocates room for an address, which TCP has not.
		k, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd),
			uintptr(unsafe.Pointer(&b[n])), uintptr(len(b)-n), unix.MSG_WAITALL, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN:
			return n, errSlow
		case errno != 0:
			return n, fmt.Errorf("receive: %w", errno)
		case k == 0:
			return n, nil
		default:
			n += int(k)
		}
	}
	return n, nil
}

// ask sends a request on a connection of its own and reads the answer to the end into
// b, which must have room for one byte more.
func (d *dialer) ask(request, b []byte) (answer []byte, err error) {
	fd, err := d.dial()
	if err != nil {
		return nil, err
	}
	n := 0
	if err = send(fd, request); err == nil {
		n, err = receive(fd, b)
	}
	_ = unix.Close(fd) // all that was to come has come
	switch {
	case err != nil:
		return b[:n], err
	case n == len(b):
		return b[:n], errExcess
	}
	return b[:n], nil
}

// registration is a connection that registers a node; the caller closes it, which ends
// the registration.
func (d *dialer) registration(request []byte) (fd int, err error) {
	fd, err = d.dial()
	if err != nil {
		return -1, err
	}
	var answer [6]byte
	n := 0
	if err = send(fd, request); err == nil {
		n, err = receive(fd, answer[:])
	}
	switch {
	case err != nil:
	case n < len(answer):
		err = errShort
	case answer[0] != 'v':
		err = errWrong
	case answer[1] != 0:
		err = errRefused
	}
	if err != nil {
		_ = unix.Close(fd) // nothing is registered
		return -1, err
	}
	return fd, nil
}
