package testbed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"
)

// Errors that tell what came of a connection; any other is the network's.
var (
	// ErrRefused: nobody listens at the address.
	ErrRefused = errors.New("connection refused")
	// ErrNoAddress: this machine has no such address to connect from, or no way there.
	ErrNoAddress = errors.New("no such address here")
	// ErrReset: the daemon has closed with something left unread; data may be lost.
	ErrReset = errors.New("connection reset")
)

// glance is the shortest wait: what has arrived already is seen.
const glance = time.Millisecond

// room is how many bytes are read at once, at least.
const room = 512

// Loopback is a port of 127.0.0.1.
func Loopback(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}

// Conn is a connection to a daemon. It is used by one goroutine at a time.
type Conn struct {
	c    *net.TCPConn
	end  error // io.EOF or ErrReset, once it was seen
	gone bool  // by us
}

// Dial connects as a dialer does, by default within [Patience].
func Dial(ctx context.Context, d net.Dialer, to netip.AddrPort) (*Conn, error) {
	if d.Timeout == 0 {
		d.Timeout = Patience
	}
	c, err := d.DialContext(ctx, "tcp", to.String())
	switch {
	case isRefusal(err):
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	case isNoAddress(err):
		return nil, fmt.Errorf("%w: %w", ErrNoAddress, err)
	case err != nil:
		return nil, err
	}
	return &Conn{c: c.(*net.TCPConn)}, nil
}

// Ask sends a request on a connection of its own, and gives all that comes until the daemon
// closes.
func Ask(ctx context.Context, to netip.AddrPort, request []byte) ([]byte, error) {
	c, err := Dial(ctx, net.Dialer{}, to)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }() // nothing is lost in it
	if err := c.Send(request); err != nil {
		return nil, err
	}
	wait := Patience
	if until, bound := ctx.Deadline(); bound {
		wait = min(wait, time.Until(until))
	}
	return c.RecvAll(wait)
}

// Send sends bytes as one segment. It is no error if the daemon has closed the connection
// meanwhile: Recv tells.
func (c *Conn) Send(b []byte) error {
	if err := c.c.SetWriteDeadline(time.Now().Add(Patience)); err != nil {
		return err
	}
	_, err := c.c.Write(b)
	return unlessHungUp(err)
}

// Delivered waits until the daemon's system has what was sent.
func (c *Conn) Delivered() { delivered(c.c) }

// Taken waits until the daemon has read what was sent.
func (c *Conn) Taken() { AwaitRead(c.c) }

// HalfClose ends the sending side.
func (c *Conn) HalfClose() error { return unlessHungUp(c.c.CloseWrite()) }

// Close closes the connection; doing so again is fine.
func (c *Conn) Close() error {
	if c.gone {
		return nil
	}
	c.gone = true
	return c.c.Close()
}

// Reset breaks the connection.
func (c *Conn) Reset() error {
	if err := unlessHungUp(reset(c.c)); err != nil {
		return err
	}
	return c.Close()
}

// Recv appends what has arrived to b. If nothing has happened it waits for so long that
// something does, and then fails with [os.ErrDeadlineExceeded]. Once the daemon has closed
// the connection the error is [io.EOF] or [ErrReset].
func (c *Conn) Recv(b []byte, wait time.Duration) ([]byte, error) {
	if c.end != nil {
		return b, c.end
	}
	if err := c.c.SetReadDeadline(time.Now().Add(max(wait, glance))); err != nil {
		return b, err
	}
	b = slices.Grow(b, room)
	n, err := c.c.Read(b[len(b):cap(b)])
	b = b[:len(b)+n]
	switch {
	case errors.Is(err, io.EOF):
		c.end = io.EOF
	case hungUp(err):
		c.end = ErrReset
	default:
		return b, err
	}
	return b, c.end
}

// RecvAll gives all that comes until the daemon closes, and fails with
// [os.ErrDeadlineExceeded] if that is not within the time.
func (c *Conn) RecvAll(wait time.Duration) ([]byte, error) {
	all, err := c.RecvLen(math.MaxInt, wait)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return all, err
}

// RecvLen is Recv until at least so many bytes are there, which must be within the time.
func (c *Conn) RecvLen(n int, wait time.Duration) (got []byte, err error) {
	for until := time.Now().Add(wait); err == nil && len(got) < n; {
		left := time.Until(until)
		if got, err = c.Recv(got, left); err == nil && left < 0 {
			err = os.ErrDeadlineExceeded
		}
	}
	return got, err
}

func unlessHungUp(err error) error {
	if hungUp(err) {
		return nil
	}
	return err
}
