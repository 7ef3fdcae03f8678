// Package machine is a whole EPMD without sockets, clocks and goroutines: the
// registry and the sessions of its connections, driven by calls. The same calls
// with the same arguments always lead to the same results, so that two copies of
// it, in two programs or on two processors, can be compared call by call.
package machine

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

const (
	// MaxConns is how many connections a machine knows at a time.
	MaxConns = 1 << 16
	// MaxConnID is the highest number of a connection; numbers are not used
	// again.
	MaxConnID = 1<<31 - 1
	// MaxTime is the latest time in Unix milliseconds: the end of the year 9999.
	MaxTime = 253402300799999
)

// Errors of the calls. None of them changes anything.
var (
	// ErrConn: no connection has this number (any more).
	ErrConn = errors.New("no such connection")
	// ErrStopped: the daemon was ended by a KILL_REQ.
	ErrStopped = errors.New("the daemon has ended")
	// ErrFull: MaxConns connections are known, or all numbers used up.
	ErrFull = errors.New("too many connections")
	// ErrTime: a time, or a span of time, is negative or leads behind MaxTime.
	ErrTime = errors.New("time out of range")
)

// Options say how a daemon runs.
type Options struct {
	// Port is the daemon's own port, as its lists tell it.
	Port uint16
	// Relaxed is the relaxed command check.
	Relaxed bool
	// MultiTransport takes the requests of wire.MultiTransport too.
	MultiTransport bool
	// PacketTimeout is the time in milliseconds in which a request must be
	// complete; 0 is no limit, and negative is out of range.
	PacketTimeout int32
	// TimeoutRestarts lets every chunk start PacketTimeout again.
	TimeoutRestarts bool
	// Remember is how many old names are kept, as in registry.Config: 0 is the
	// default of 1000, negative is none.
	Remember int32
	// Now is the time at which the daemon starts, in Unix milliseconds, from 0
	// to MaxTime.
	Now int64
}

// ConnID is the number of a connection: 1 for the first, and so on. It is the
// owner of what the connection registers, and so the number in a dump.
type ConnID uint32

// Machine is one daemon. It is not safe for concurrent use.
type Machine struct {
	daemon  session.Daemon
	now     int64
	conns   map[ConnID]*conn
	last    ConnID
	stopped bool
}

type conn struct {
	session  session.Session
	local    bool
	buffered int
}

// New starts a daemon. It fails with ErrTime.
func New(o Options) (*Machine, error) {
	if o.Now < 0 || o.Now > MaxTime {
		return nil, fmt.Errorf("start at %d: %w", o.Now, ErrTime)
	}
	if o.PacketTimeout < 0 {
		return nil, fmt.Errorf("packet timeout %d: %w", o.PacketTimeout, ErrTime)
	}
	m := &Machine{now: o.Now, conns: make(map[ConnID]*conn)}
	m.daemon = session.Daemon{
		Registry:            registry.New(registry.Config{Now: m.time, Remember: int(o.Remember)}),
		Port:                o.Port,
		RelaxedCommandCheck: o.Relaxed,
		PacketTimeout:       time.Duration(o.PacketTimeout) * time.Millisecond,
		TimeoutRestarts:     o.TimeoutRestarts,
	}
	if o.MultiTransport {
		m.daemon.Dialect = wire.MultiTransport
	}
	return m, nil
}

func (m *Machine) time() time.Time { return time.UnixMilli(m.now) }

// Open accepts a connection, from a local peer or from another machine. It fails
// with ErrStopped or ErrFull.
func (m *Machine) Open(local bool) (ConnID, error) {
	switch {
	case m.stopped:
		return 0, ErrStopped
	case len(m.conns) >= MaxConns, m.last >= MaxConnID:
		return 0, ErrFull
	}
	m.last++
	m.conns[m.last] = &conn{
		session: m.daemon.Open(registry.Owner(m.last), peer(local), m.time()),
		local:   local,
	}
	return m.last, nil
}

// peer is the two ends of a connection: local, or not.
type peer bool

var (
	loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	here     = netip.AddrFrom4([4]byte{192, 0, 2, 1}) // addresses of RFC 5737
	there    = netip.AddrFrom4([4]byte{192, 0, 2, 2})
)

func (p peer) Remote() netip.Addr {
	if p {
		return loopback
	}
	return there
}

func (p peer) Local() netip.Addr {
	if p {
		return loopback
	}
	return here
}

func (m *Machine) conn(id ConnID) (*conn, error) {
	c := m.conns[id]
	if c == nil {
		return nil, fmt.Errorf("connection %d: %w", id, ErrConn)
	}
	return c, nil
}

// Want is the most bytes that the next Feed will look at, at least 1. It fails
// with ErrConn.
func (m *Machine) Want(id ConnID) (int, error) {
	c, err := m.conn(id)
	if err != nil {
		return 0, err
	}
	return c.session.Want(), nil
}

// Result is what a chunk led to.
type Result struct {
	// Verdict is what becomes of the connection. After session.Close it is
	// closed; after session.StopDaemon all connections are, and so is the daemon.
	Verdict session.Verdict
	// Used is how many bytes of the chunk were looked at.
	Used int
	// Tag is that of the request that the chunk completed, else 0.
	Tag wire.Tag
	// Reply is what the daemon sends; it belongs to the caller.
	Reply []byte
	// Error says why there is no answer, or a refusal; empty if nothing is wrong.
	Error string
	// Evicted are the other connections that were closed.
	Evicted []ConnID
}

// Feed lets a chunk arrive on a connection, as one read returned it. It fails
// with ErrConn.
func (m *Machine) Feed(id ConnID, chunk []byte) (Result, error) {
	c, err := m.conn(id)
	if err != nil {
		return Result{}, err
	}
	res := c.session.Feed(m.time(), chunk, nil)
	out := Result{
		Verdict: res.Verdict,
		Used:    res.Used,
		Tag:     res.Tag,
		Reply:   slices.Clone(res.Reply),
	}
	if res.Err != nil {
		out.Error = res.Err.Error()
	}
	for _, o := range res.Evict {
		other := ConnID(o)
		m.conns[other].end(registry.ReasonStopped) // it holds a name, so it is known
		out.Evicted = append(out.Evicted, other)
	}
	switch res.Verdict {
	case session.More:
		c.buffered += res.Used
	case session.Keep:
		if res.Used > 0 { // no bytes leave half of a further request as it is
			c.buffered = 0
		}
	case session.Close:
		c.end(registry.ReasonClosed)
	case session.StopDaemon:
		m.stop()
	}
	return out, nil
}

// stop ends the daemon and with it every connection.
func (m *Machine) stop() {
	m.stopped = true
	for _, id := range m.ids() {
		m.conns[id].end(registry.ReasonShutdown)
	}
}

// end closes the connection on the daemon's side.
func (c *conn) end(why registry.Reason) {
	c.session.End(why)
	c.buffered = 0
}

// End is the end of a connection on the peer's side. The machine forgets it,
// and must be told so of every connection, closed by the daemon or not. It fails
// with ErrConn.
func (m *Machine) End(id ConnID) error {
	c, err := m.conn(id)
	if err != nil {
		return err
	}
	c.end(registry.ReasonClosed)
	delete(m.conns, id)
	return nil
}

// Advance lets time pass, in milliseconds, and closes the connections whose
// deadline has come: it returns them in ascending order. It fails with ErrTime.
func (m *Machine) Advance(ms int64) ([]ConnID, error) {
	if ms < 0 || ms > MaxTime-m.now {
		return nil, fmt.Errorf("advance by %d: %w", ms, ErrTime)
	}
	m.now += ms
	now := m.time()
	var late []ConnID
	for _, id := range m.ids() {
		c := m.conns[id]
		if at := c.session.Deadline(); at.IsZero() || now.Before(at) {
			continue
		}
		c.end(registry.ReasonClosed)
		late = append(late, id)
	}
	return late, nil
}

// Stopped says that the daemon was ended by a KILL_REQ.
func (m *Machine) Stopped() bool { return m.stopped }

// ids are the connections in ascending order, so that nothing depends on the
// order of a map.
func (m *Machine) ids() []ConnID {
	ids := make([]ConnID, 0, len(m.conns))
	for id := range m.conns {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
