package rig

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/internal/testbed"
)

// Patience is how long one step of a client may take, unless it is told otherwise.
const Patience = testbed.Patience

// What a step of a client can fail with, besides an error of the network.
var (
	// ErrClosed: the daemon closed the connection before it answered in full.
	ErrClosed = errors.New("closed before the answer was complete")
	// ErrWrong: the answer is not what it should be.
	ErrWrong = errors.New("wrong answer")
)

// Dialer makes connections to a daemon. Several goroutines may use one.
type Dialer struct {
	// Port is the daemon's.
	Port uint16
	// To is the address; zero is 127.0.0.1.
	To [4]byte
	// From is the source address; zero takes addresses 127.Block.0.1 onwards in turn,
	// a new one after every thousand connections: the kernel keeps a connection's
	// address and port for a minute after its end.
	From  [4]byte
	Block byte
	// Receive is the receive buffer in bytes, of which the kernel takes twice as
	// much; zero is the system's own way.
	Receive int
	// Patience bounds each step; zero is the constant.
	Patience time.Duration

	made atomic.Int64
}

const connsPerSource = 1000

// Conn is one connection. What ends it cannot fail in a way that matters.
type Conn struct {
	*testbed.Conn
	patience time.Duration
}

// Dial connects.
func (d *Dialer) Dial() (*Conn, error) {
	patience := d.Patience
	if patience == 0 {
		patience = Patience
	}
	to := testbed.Loopback(d.Port)
	if d.To != [4]byte{} {
		to = netip.AddrPortFrom(netip.AddrFrom4(d.To), d.Port)
	}
	tcp, err := testbed.Dial(context.Background(), net.Dialer{
		Timeout: patience, KeepAlive: -1, Control: d.prepare,
		LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4(d.source()), 0)),
	}, to)
	if err != nil {
		return nil, err
	}
	return &Conn{tcp, patience}, nil
}

// prepare sets the options of a socket before it is bound.
func (d *Dialer) prepare(_, _ string, raw syscall.RawConn) error {
	var errs error
	err := raw.Control(func(fd uintptr) {
		errs = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		if d.Receive > 0 {
			errs = errors.Join(errs, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, d.Receive))
		}
	})
	return errors.Join(err, errs)
}

func (d *Dialer) source() [4]byte {
	if d.From != [4]byte{} {
		return d.From
	}
	n := 1 + (d.made.Add(1)-1)/connsPerSource%60000
	return [4]byte{127, d.Block, byte(n >> 8), byte(n)}
}

// ReceiveAll reads until the end of the stream.
func (c *Conn) ReceiveAll() ([]byte, error) { return c.RecvAll(c.patience) }

// HalfClose ends the stream to the daemon.
func (c *Conn) HalfClose() { _ = c.Conn.HalfClose() }

// Close closes the connection; doing so again is fine.
func (c *Conn) Close() { _ = c.Conn.Close() }

// Reset closes the connection by a reset.
func (c *Conn) Reset() { _ = c.Conn.Reset() }
