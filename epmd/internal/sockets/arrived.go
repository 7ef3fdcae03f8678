package sockets

import (
	"errors"
	"net"
	"syscall"
)

// errNothing says that nothing has arrived on a socket, neither bytes nor its end.
var errNothing = errors.New("nothing has arrived")

// Raw is the socket of a connection of which the system can tell what has arrived; nil if
// it cannot, or the connection is closed. Of TLS and the like what has arrived may be no
// data at all.
func Raw(c net.Conn) syscall.RawConn {
	switch c.(type) {
	case *net.TCPConn, *net.UnixConn:
		if raw, err := c.(syscall.Conn).SyscallConn(); err == nil && tellsArrived {
			return raw
		}
	}
	return nil
}

// ReadArrived reads what has arrived on a socket without waiting, and says whether anything
// has: bytes, an error, or, with none of both, the end.
func ReadArrived(fd uintptr, b []byte) (n int, arrived bool, err error) {
	n, err = receive(fd, b, 0)
	if errors.Is(err, errNothing) {
		return 0, false, nil
	}
	return n, true, err
}

// Arrival is what has arrived on a connection.
type Arrival int

// The arrivals.
const (
	// Nothing has arrived, or the system cannot tell.
	Nothing Arrival = iota
	// Bytes have arrived.
	Bytes
	// End: no bytes are left, and the other side has closed the connection, or it broke.
	End
)

// Arrived looks what has arrived on a connection, and leaves it there.
func Arrived(c net.Conn) (a Arrival) {
	raw := Raw(c)
	if raw == nil {
		return Nothing
	}
	_ = raw.Control(func(fd uintptr) { // fails if it is closed
		var b [1]byte
		switch n, err := receive(fd, b[:], peek); {
		case errors.Is(err, errNothing):
		case n > 0:
			a = Bytes
		default:
			a = End
		}
	})
	return a
}
