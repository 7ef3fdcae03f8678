package differ

import (
	"errors"
	"time"

	"github.com/goepmd/goepmd/fuzz/model"
	"github.com/goepmd/goepmd/wire"
)

// modelled is the model as a daemon without a socket, to be made wrong in one way.
type modelled struct {
	model.Daemon
	// instead answers a request in place of the model, if it says so; after changes what
	// the model answers.
	instead func(d *modelled, body string) (model.Answer, bool)
	after   func(d *modelled, body string, a *model.Answer)
	// resets says that the connection is reset in place of an answer.
	resets func(body string, a model.Answer) bool
	// deaf is of connections that are kept: what comes on them does not end them.
	deaf bool
	// status is that of its end.
	status int

	conns  map[uint64]*modelledConn
	last   uint64
	had    int               // requests
	firsts map[string]uint32 // of counts
	killed bool
}

func newModelled(relaxed bool) *modelled {
	return &modelled{
		Daemon: model.Daemon{Names: model.Names{Remember: 1000}, Port: simPort, Relaxed: relaxed},
		conns:  make(map[uint64]*modelledConn), firsts: make(map[string]uint32),
	}
}

func (d *modelled) Port() uint16 { return d.Daemon.Port }

func (d *modelled) Dial() (Conn, error) {
	if d.killed {
		return nil, ErrGone
	}
	d.last++
	c := &modelledConn{of: d, id: d.last}
	d.conns[c.id] = c
	return c, nil
}

func (d *modelled) Ask() error {
	if d.killed {
		return ErrGone
	}
	return nil
}

func (d *modelled) Answer(func() error) error { return nil }

func (d *modelled) Exit() (int, error) {
	if !d.killed {
		return 0, errors.New("the daemon goes on")
	}
	return d.status, nil
}

func (d *modelled) Stop() error { return nil }

// answer answers a request in the way that is wrong.
func (d *modelled) answer(conn uint64, body string) model.Answer {
	d.had++
	if d.instead != nil {
		if a, done := d.instead(d, body); done {
			return a
		}
	}
	a := d.Daemon.Answer(time.Now().Unix(), conn, true, body)
	if d.after != nil {
		d.after(d, body, &a)
	}
	return a
}

// modelledConn is a connection to it.
type modelledConn struct {
	of      *modelled
	id      uint64
	arrived string
	glued   int // how much had come when the length was known
	kept    bool
	got     []byte
	end     End
}

func (c *modelledConn) Send(b []byte) error {
	if c.end != StillOpen || len(b) == 0 {
		return nil
	}
	if c.kept {
		if !c.of.deaf {
			c.close(WasClosed)
		}
		return nil
	}
	c.arrived += string(b)
	if c.glued == 0 && len(c.arrived) >= 2 {
		c.glued = min(len(c.arrived), wire.MaxPacketLen) // more is not read at once
	}
	switch frame, body := model.Framing(c.arrived, c.glued); frame {
	case model.Bad:
		c.close(WasClosed)
	case model.Complete:
		c.obey(body, c.of.answer(c.id, body))
		if c.kept && len(c.arrived) > 2+len(body) && !c.of.deaf {
			c.close(WasClosed)
		}
	}
	return nil
}

// want is how much is read at once: never more than the packet, once its length is known.
func (c *modelledConn) want() int {
	if len(c.arrived) < 2 {
		return wire.MaxPacketLen - len(c.arrived)
	}
	n, err := wire.PacketLen([]byte(c.arrived))
	if err != nil {
		return 1 // it was closed for that
	}
	return max(1, n-len(c.arrived))
}

// obey does what the answer to a request says.
func (c *modelledConn) obey(body string, a model.Answer) {
	if c.of.resets != nil && c.of.resets(body, a) {
		c.close(WasReset)
		return
	}
	c.got = append(c.got, a.Reply...)
	for _, id := range a.Cut {
		c.of.conns[id].close(WasClosed)
	}
	if c.kept = a.Kept; !c.kept {
		c.close(WasClosed)
	}
	if a.Ends {
		c.of.killed = true
		for _, other := range c.of.conns {
			other.close(WasClosed)
		}
	}
}

// close is the end of the connection.
func (c *modelledConn) close(how End) {
	if c.end == StillOpen {
		c.end = how
		c.of.End(c.id)
		delete(c.of.conns, c.id)
	}
}

func (c *modelledConn) HalfClose() error { c.close(WasClosed); return nil }
func (c *modelledConn) Close() error     { c.close(WasClosed); return nil }
func (c *modelledConn) Reset() error     { c.close(WasClosed); return nil }

func (c *modelledConn) Recv(b []byte, _ time.Duration) ([]byte, End, error) {
	b = append(b, c.got...)
	c.got = nil
	return b, c.end, nil
}
