package host

import (
	"errors"
	"fmt"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/fuzz/machine"
	"github.com/goepmd/goepmd/internal/transcript"
)

// Target is a daemon, in this program or as WebAssembly, to play recorded conversations against. What is sent waits,
// as it would in a socket, until the daemon reads as much of it as it wants.
type Target struct {
	daemon machine.Daemon
	port   uint16
	conns  map[machine.ConnID]*targetConn
	ended  bool
}

var _ transcript.Target = (*Target)(nil)

// NewTarget makes a target of a fresh daemon on the given port.
func NewTarget(d machine.Daemon, port uint16) *Target {
	return &Target{daemon: d, port: port, conns: make(map[machine.ConnID]*targetConn)}
}

// Port is the daemon's own.
func (t *Target) Port() uint16 { return t.port }

// Open connects from this machine.
func (t *Target) Open() (transcript.Conn, error) {
	id, err := t.daemon.Open(true)
	if err != nil {
		return nil, err
	}
	c := &targetConn{target: t, id: id}
	t.conns[id] = c
	return c, nil
}

// Exit is status 0 if a KILL_REQ has ended the daemon, else an error.
func (t *Target) Exit() (int, error) {
	if !t.ended {
		return 0, errors.New("the daemon goes on")
	}
	return 0, nil
}

// targetConn is a connection with what it has received and not given yet.
type targetConn struct {
	target *Target
	id     machine.ConnID
	got    []byte
	closed bool // by the daemon
	left   bool // by the peer
}

// Send lets each segment arrive on its own.
func (c *targetConn) Send(segments [][]byte) error {
	for _, b := range segments {
		if err := c.arrive(b); err != nil {
			return err
		}
	}
	return nil
}

// arrive lets the daemon read a segment, as much at a time as it wants. What
// comes after the connection was closed is lost.
func (c *targetConn) arrive(b []byte) error {
	for len(b) > 0 && !c.closed && !c.left {
		want, err := c.target.daemon.Want(c.id)
		if err != nil {
			return err
		}
		if want < 1 {
			return fmt.Errorf("the daemon wants %d bytes", want)
		}
		chunk := b[:min(len(b), want)]
		res, err := c.target.daemon.Feed(c.id, chunk)
		if err != nil {
			return err
		}
		if res.Used != len(chunk) {
			return errors.New("the daemon did not read what it wanted")
		}
		b = b[len(chunk):]
		if err := c.obey(res); err != nil {
			return err
		}
	}
	return nil
}

// obey does what a server does with a result.
func (c *targetConn) obey(res machine.Result) error {
	for _, id := range res.Evicted {
		other := c.target.conns[id]
		if other == nil {
			return fmt.Errorf("the daemon closed connection %d, which there is not", id)
		}
		other.closed = true
	}
	c.got = append(c.got, res.Reply...)
	switch res.Verdict {
	case session.Close:
		c.closed = true
	case session.StopDaemon:
		c.target.ended = true
		for _, other := range c.target.conns {
			other.closed = true
		}
	}
	return nil
}

// leave is the end of the connection on the peer's side. The daemon closes its
// own side at once.
func (c *targetConn) leave() error {
	if c.left {
		return nil
	}
	c.left, c.closed = true, true
	return c.target.daemon.End(c.id)
}

func (c *targetConn) HalfClose() error { return c.leave() }
func (c *targetConn) Close() error     { return c.leave() }
func (c *targetConn) Reset() error     { return c.leave() }

func (c *targetConn) Recv() ([]byte, bool, error) {
	b := c.got
	c.got = nil
	return b, c.closed, nil
}
