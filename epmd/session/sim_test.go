package session_test

import (
	"net/netip"
	"time"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// peer is both ends of a simulated connection.
type peer struct{ remote, local string }

func (p peer) Remote() netip.Addr { return netip.MustParseAddr(p.remote) }
func (p peer) Local() netip.Addr  { return netip.MustParseAddr(p.local) }

var loopback = peer{"127.0.0.1", "127.0.0.1"}

// epoch is when simulated time begins.
var epoch = time.Unix(1_700_000_000, 0)

// sim is a daemon without sockets.
type sim struct {
	daemon *session.Daemon
	now    time.Time
	conns  map[registry.Owner]*simConn
	ended  bool
	cut    int // if not 0: how many bytes arrive at a time
}

func newSim(change ...func(*session.Daemon)) *sim {
	s := &sim{now: epoch, conns: make(map[registry.Owner]*simConn)}
	s.daemon = &session.Daemon{
		Registry: registry.New(registry.Config{Now: func() time.Time { return s.now }}),
		Port:     24369,
	}
	for _, c := range change {
		c(s.daemon)
	}
	return s
}

func (s *sim) open(p session.Peer) *simConn {
	c := &simConn{sim: s}
	owner := registry.Owner(len(s.conns) + 1)
	c.session = s.daemon.Open(owner, p, s.now)
	s.conns[owner] = c
	return c
}

// simConn is a connection: bytes that arrive wait until the session reads
// them, as they would in a socket.
type simConn struct {
	sim     *sim
	session session.Session
	got     []byte
	results []session.Result
	closed  bool
}

// Send lets a segment arrive, cut as the daemon's network cuts.
func (c *simConn) Send(b []byte) error {
	for c.sim.cut > 0 && len(b) > c.sim.cut {
		c.arrive(b[:c.sim.cut])
		b = b[c.sim.cut:]
	}
	c.arrive(b)
	return nil
}

// arrive lets the session read what came in one segment.
func (c *simConn) arrive(b []byte) {
	for len(b) > 0 && !c.closed {
		chunk := b[:min(len(b), c.session.Want())]
		b = b[len(chunk):]
		res := c.session.Feed(c.sim.now, chunk, make([]byte, session.MaxReplyLen))
		c.results = append(c.results, res)
		for _, o := range res.Evict {
			c.sim.conns[o].end(registry.ReasonStopped)
		}
		c.got = append(c.got, res.Reply...)
		switch res.Verdict {
		case session.StopDaemon:
			c.sim.ended = true
			for _, other := range c.sim.conns {
				other.end(registry.ReasonShutdown)
			}
		case session.Close:
			c.end(registry.ReasonClosed)
		}
	}
}

// end is the end of the connection, whoever ends it.
func (c *simConn) end(why registry.Reason) {
	c.closed = true
	c.session.End(why)
}

func (c *simConn) HalfClose() error { c.end(registry.ReasonClosed); return nil }
func (c *simConn) Close() error     { c.end(registry.ReasonClosed); return nil }
func (c *simConn) Reset() error     { c.end(registry.ReasonClosed); return nil }

// Recv gives what has come since the last call; nothing is worth waiting for.
func (c *simConn) Recv(b []byte, _ time.Duration) ([]byte, conformance.State, error) {
	b = append(b, c.got...)
	c.got = nil
	if c.closed {
		return b, conformance.WasClosed, nil
	}
	return b, conformance.StillOpen, nil
}

// last is what the last chunk led to.
func (c *simConn) last() session.Result { return c.results[len(c.results)-1] }

// send lets a packet with the body arrive at once.
func (c *simConn) send(body ...byte) session.Result {
	packet, err := wire.AppendPacket(nil, body)
	if err != nil {
		panic(err) // a test's own mistake
	}
	c.arrive(packet)
	return c.last()
}

// register is the body of an ALIVE2_REQ for a node of the given name.
func register(name string) []byte {
	packet, err := wire.Node{Name: name, Port: 1000, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}.AppendAlive2Req(nil)
	if err != nil {
		panic(err) // a test's own mistake
	}
	return packet[wire.HeaderLen:]
}

func body(tag wire.Tag, rest string) []byte { return append([]byte{byte(tag)}, rest...) }

// invalidPeer has no addresses.
type invalidPeer struct{}

func (invalidPeer) Remote() netip.Addr { return netip.Addr{} }
func (invalidPeer) Local() netip.Addr  { return netip.Addr{} }
