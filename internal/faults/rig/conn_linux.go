package rig

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Patience is how long one step of a client may take, unless it is told otherwise.
const Patience = 20 * time.Second

// What a step of a client can fail with, besides an error of the network.
var (
	// ErrTimeout: nothing happened in time.
	ErrTimeout = errors.New("nothing happened in time")
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

// Conn is one connection.
type Conn struct {
	fd       int
	patience time.Duration
}

// Dial connects.
func (d *Dialer) Dial() (*Conn, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	c := &Conn{fd: fd, patience: d.Patience}
	if c.patience == 0 {
		c.patience = Patience
	}
	if err := d.connect(c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (d *Dialer) connect(c *Conn) error {
	if err := unix.SetsockoptInt(c.fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return fmt.Errorf("bind without port: %w", err)
	}
	if d.Receive > 0 {
		if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, d.Receive); err != nil {
			return fmt.Errorf("receive buffer: %w", err)
		}
	}
	if err := unix.Bind(c.fd, &unix.SockaddrInet4{Addr: d.source()}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	to := d.To
	if to == [4]byte{} {
		to = [4]byte{127, 0, 0, 1}
	}
	err := unix.Connect(c.fd, &unix.SockaddrInet4{Port: int(d.Port), Addr: to})
	if errors.Is(err, unix.EINPROGRESS) || errors.Is(err, unix.EINTR) {
		if err = c.await(unix.POLLOUT, time.Now().Add(c.patience)); err == nil {
			var number int
			number, err = unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
			if err == nil && number != 0 {
				err = unix.Errno(number)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	return nil
}

func (d *Dialer) source() [4]byte {
	if d.From != [4]byte{} {
		return d.From
	}
	n := 1 + (d.made.Add(1)-1)/connsPerSource%60000
	return [4]byte{127, d.Block, byte(n >> 8), byte(n)}
}

// await waits for something to happen on the connection.
func (c *Conn) await(events int16, until time.Time) error {
	for {
		left := time.Until(until)
		if left <= 0 {
			return ErrTimeout
		}
		p := []unix.PollFd{{Fd: int32(c.fd), Events: events}}
		n, err := unix.Poll(p, int(left/time.Millisecond)+1)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("poll: %w", err)
		case n > 0:
			return nil
		}
	}
}

// Send sends all of b.
func (c *Conn) Send(b []byte) error {
	until := time.Now().Add(c.patience)
	for len(b) > 0 {
		n, err := unix.SendmsgN(c.fd, b, nil, nil, unix.MSG_NOSIGNAL)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if err := c.await(unix.POLLOUT, until); err != nil {
				return err
			}
		case err != nil:
			return fmt.Errorf("send: %w", err)
		default:
			b = b[n:]
		}
	}
	return nil
}

// Receive waits for bytes, and gives how many came; 0 is the end of the stream.
func (c *Conn) Receive(b []byte) (int, error) { return c.receive(b, time.Now().Add(c.patience)) }

func (c *Conn) receive(b []byte, until time.Time) (int, error) {
	for {
		n, err := unix.Read(c.fd, b)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if err := c.await(unix.POLLIN, until); err != nil {
				return 0, err
			}
		default:
			return 0, fmt.Errorf("receive: %w", err)
		}
	}
}

// ReceiveAll reads until the end of the stream.
func (c *Conn) ReceiveAll() ([]byte, error) {
	until := time.Now().Add(c.patience)
	var all []byte
	room := make([]byte, 1<<14)
	for {
		n, err := c.receive(room, until)
		all = append(all, room[:n]...)
		if err != nil || n == 0 {
			return all, err
		}
	}
}

// Open says whether the daemon has neither closed nor reset the connection. It does
// not wait.
func (c *Conn) Open() bool {
	var b [1]byte
	for {
		n, _, err := unix.Recvfrom(c.fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return n > 0 || errors.Is(err, unix.EAGAIN)
	}
}

// AwaitEnd waits until the daemon has closed or reset the connection, reading what
// comes.
func (c *Conn) AwaitEnd(patience time.Duration) error {
	until := time.Now().Add(patience)
	room := make([]byte, 1<<14)
	for {
		n, err := c.receive(room, until)
		switch {
		case errors.Is(err, ErrTimeout):
			return err
		case err != nil || n == 0: // reset or closed
			return nil
		}
	}
}

// HalfClose ends the stream to the daemon.
func (c *Conn) HalfClose() {
	_ = unix.Shutdown(c.fd, unix.SHUT_WR) // it fails only on one that is gone
}

// Close closes the connection; doing so again is fine.
func (c *Conn) Close() {
	if c.fd >= 0 {
		_ = unix.Close(c.fd) // nothing is lost in it
		c.fd = -1
	}
}

// Reset closes the connection by a reset.
func (c *Conn) Reset() {
	_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // else it is closed
	c.Close()
}
