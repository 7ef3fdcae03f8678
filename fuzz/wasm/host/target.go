package host

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/fuzz/machine"
)

// Target is a daemon in this program or as WebAssembly, as a target of the conformance
// suite. What is sent waits, as it would in a socket, until the daemon reads as
// much of it as it wants.
type Target struct {
	name  string
	start machine.Start
}

var _ conformance.Target = Target{}

// NewTarget makes a target of what starts daemons.
func NewTarget(name string, start machine.Start) Target { return Target{name, start} }

// Name is as NewTarget was told.
func (t Target) Name() string { return t.name }

// targetPort is the port that daemons tell.
const targetPort = 24369

// Start starts a daemon. Of its options only the relaxed command check and the
// multi-transport extension can be had.
func (t Target) Start(_ context.Context, c conformance.Config) (conformance.Daemon, error) {
	o, err := c.Options()
	if err != nil {
		return nil, err
	}
	relaxed, multi := o.Relaxed, o.MultiTransport
	if o.Relaxed, o.MultiTransport = false, false; !reflect.ValueOf(o).IsZero() {
		return nil, conformance.Unsupported("the module has no such option, or time stands still")
	}
	d, err := t.start(machine.Options{
		Port: targetPort, Relaxed: relaxed, MultiTransport: multi, Now: time.Now().UnixMilli(),
	})
	if err != nil {
		return nil, err
	}
	return newTargetDaemon(d, targetPort), nil
}

// targetDaemon is a daemon and its connections.
type targetDaemon struct {
	daemon machine.Daemon
	port   uint16
	conns  map[machine.ConnID]*targetConn
	ended  bool
}

func newTargetDaemon(d machine.Daemon, port uint16) *targetDaemon {
	return &targetDaemon{daemon: d, port: port, conns: make(map[machine.ConnID]*targetConn)}
}

func (t *targetDaemon) Port() uint16 { return t.port }
func (t *targetDaemon) Close() error { return t.daemon.Close() }

// Dial connects from this machine, or from another.
func (t *targetDaemon) Dial(_ context.Context, r conformance.Route) (conformance.Conn, error) {
	if r.To != "" {
		return nil, conformance.Unsupported("the module has no address")
	}
	if t.ended {
		return nil, conformance.ErrRefused
	}
	id, err := t.daemon.Open(r.From != conformance.OutsideIPv4)
	if err != nil {
		return nil, err
	}
	c := &targetConn{target: t, id: id}
	t.conns[id] = c
	return c, nil
}

// Exit is status 0 if a KILL_REQ has ended the daemon, else an error.
func (t *targetDaemon) Exit(context.Context) (int, error) {
	if !t.ended {
		return 0, errors.New("the daemon goes on")
	}
	return 0, nil
}

func (t *targetDaemon) Command(context.Context, conformance.Command) (conformance.Output, error) {
	return conformance.Output{}, conformance.Unsupported("the module has no program")
}

// targetConn is a connection with what it has received and not given yet.
type targetConn struct {
	target *targetDaemon
	id     machine.ConnID
	got    []byte
	closed bool // by the daemon
	left   bool // by the peer
}

// Send lets a segment arrive.
func (c *targetConn) Send(b []byte) error { return c.arrive(b) }

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

// Recv gives what has come since the last call; nothing is worth waiting for.
func (c *targetConn) Recv(b []byte, _ time.Duration) ([]byte, conformance.State, error) {
	b = append(b, c.got...)
	c.got = nil
	if c.closed {
		return b, conformance.WasClosed, nil
	}
	return b, conformance.StillOpen, nil
}
