package differ

import (
	"errors"
	"net/netip"
	"time"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// Sim is bare sessions: a daemon without a socket, in which everything that was
// sent takes effect at once.
type Sim struct {
	// Cut, if set, is asked how many of so many bytes arrive as the next
	// segment: at least 1.
	Cut func(left int) int
	// Fed, if set, is called after each chunk.
	Fed func(Fed)
	// Excess says that a connection was closed because more than a packet came in the
	// first read: the one thing that depends on how bytes are cut.
	Excess bool

	daemon *session.Daemon
	conns  map[registry.Owner]*simConn
	last   registry.Owner
	killed bool
}

// Fed is what one chunk led to.
type Fed struct {
	Chunk         []byte
	Want          int // what the session wanted before
	Held          bool
	Session       *session.Session
	Result        session.Result
	Before, After registry.Snapshot
}

// simPort is what the lists tell.
const simPort = 24369

// NewSim makes bare sessions around an empty registry. With relaxed they allow
// STOP_REQ.
func NewSim(relaxed bool, d wire.Dialect) *Sim {
	return &Sim{
		daemon: &session.Daemon{
			Registry: registry.New(registry.Config{}), Port: simPort, Dialect: d,
			RelaxedCommandCheck: relaxed, PacketTimeout: time.Minute,
		},
		conns: make(map[registry.Owner]*simConn),
	}
}

// Port is what the lists tell.
func (s *Sim) Port() uint16 { return simPort }

// Dial opens a session.
func (s *Sim) Dial() (Conn, error) {
	if s.killed {
		return nil, ErrGone
	}
	s.last++
	c := &simConn{sim: s, session: s.daemon.Open(s.last, loopback{}, time.Now())}
	s.conns[s.last] = c
	return c, nil
}

// Ask and Answer have nothing to wait for.
func (s *Sim) Ask() error {
	if s.killed {
		return ErrGone
	}
	return nil
}

// Answer has nothing to wait for.
func (s *Sim) Answer(func() error) error { return nil }

// Exit gives status 0 if a KILL_REQ has ended the daemon.
func (s *Sim) Exit() (int, error) {
	if !s.killed {
		return 0, errors.New("the daemon goes on")
	}
	return 0, nil
}

// Stop does nothing.
func (s *Sim) Stop() error { return nil }

// loopback is a local peer.
type loopback struct{}

func (loopback) Remote() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }
func (loopback) Local() netip.Addr  { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

// simConn is a connection to bare sessions.
type simConn struct {
	sim     *Sim
	session session.Session
	got     []byte
	closed  bool
}

func (c *simConn) Send(b []byte) error {
	for len(b) > 0 && !c.closed {
		n := len(b)
		if c.sim.Cut != nil {
			n = min(max(c.sim.Cut(n), 1), n)
		}
		for segment := b[:n]; len(segment) > 0 && !c.closed; {
			chunk := segment[:min(len(segment), c.session.Want())]
			c.feed(chunk)
			segment = segment[len(chunk):]
		}
		b = b[n:]
	}
	return nil
}

// feed lets the session read one chunk, and obeys it.
func (c *simConn) feed(chunk []byte) {
	fed := Fed{Chunk: chunk, Session: &c.session, Want: c.session.Want(), Held: c.session.Holds()}
	if c.sim.Fed != nil {
		fed.Before = c.sim.daemon.Registry.Snapshot()
	}
	res := c.session.Feed(time.Now(), chunk, make([]byte, 0, session.MaxReplyLen))
	if c.sim.Fed != nil {
		fed.Result, fed.After = res, c.sim.daemon.Registry.Snapshot()
		c.sim.Fed(fed)
	}
	c.sim.Excess = c.sim.Excess || errors.Is(res.Err, wire.FaultExcess)
	for _, o := range res.Evict {
		c.sim.conns[o].end(registry.ReasonStopped)
	}
	c.got = append(c.got, res.Reply...)
	switch res.Verdict {
	case session.Close:
		c.end(registry.ReasonClosed)
	case session.StopDaemon:
		c.sim.killed = true
		for _, other := range c.sim.conns {
			other.end(registry.ReasonShutdown)
		}
	}
}

// end is the end of the connection, whoever ends it.
func (c *simConn) end(why registry.Reason) {
	c.closed = true
	c.session.End(why)
	delete(c.sim.conns, c.session.Owner())
}

func (c *simConn) HalfClose() error { c.end(registry.ReasonClosed); return nil }
func (c *simConn) Close() error     { c.end(registry.ReasonClosed); return nil }
func (c *simConn) Reset() error     { c.end(registry.ReasonClosed); return nil }

func (c *simConn) Recv(b []byte, _ time.Duration) ([]byte, End, error) {
	b = append(b, c.got...)
	c.got = nil
	if c.closed {
		return b, WasClosed, nil
	}
	return b, StillOpen, nil
}
