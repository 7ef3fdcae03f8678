package session

import (
	"time"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// Daemon is what the sessions of one daemon share. Its fields are read by all
// sessions and must not change once there is one.
type Daemon struct {
	// Registry holds the names. It must be set.
	Registry *registry.Registry
	// Port is the daemon's own port, as its lists tell it.
	Port uint16
	// Dialect is the set of requests that are answered; the zero value is
	// wire.Standard.
	Dialect wire.Dialect
	// RelaxedCommandCheck lets KILL_REQ end the daemon while nodes are registered,
	// and allows STOP_REQ.
	RelaxedCommandCheck bool
	// Policy is who may make which request; the zero value is OTP's rule.
	Policy Policy
	// PacketTimeout is the time that a connection has to complete its request;
	// zero or negative is no limit.
	PacketTimeout time.Duration
	// TimeoutRestarts makes every chunk start PacketTimeout again, as in OTP
	// 23 and 25. Otherwise it counts from the beginning, as in OTP 27 and 29, and a client
	// cannot hold a connection by sending a byte now and then.
	TimeoutRestarts bool
	// Sweep, if set, is called before a request is answered, with the name that
	// it is about, or nothing if it is about all. It should release
	// the registrations of connections that have ended, or on which something
	// has arrived, although their sessions were not told yet, at least those of
	// that name: a node that comes
	// back at once must not be refused, nor a dead one be listed, because the
	// engine was busy. (OTP's epmd, which reads all its connections in turn,
	// has seen their end by then.)
	Sweep func(name []byte)
	// Awaited, if set, has a registration of a taken name wait instead of being refused:
	// see the verdict Wait. It is called before a registration is tried, and says whether
	// another one waits for the name; then this one waits behind it.
	Awaited func(name []byte) bool
	// AdmitNode, Resolve, HandleUnknown and RefuseKill are what the program that embeds
	// the daemon has a say in: see the fields of epmd.Server with these names.
	AdmitNode     func(Peer, wire.Node) error
	Resolve       func(name string) (wire.Node, bool)
	HandleUnknown func(p Peer, body, reply []byte) ([]byte, bool)
	RefuseKill    bool
}

// Open begins the session of a connection that was accepted at the given time.
// The owner must be the connection's own.
func (d *Daemon) Open(o registry.Owner, p Peer, now time.Time) Session {
	s := Session{daemon: d, owner: o, peer: p}
	s.startClock(now)
	return s
}

// Resume is the session of a connection that is kept: an engine that holds many
// need not hold their sessions too. It says what Holds said.
func (d *Daemon) Resume(o registry.Owner, holds bool) Session {
	return Session{daemon: d, owner: o, phase: kept, holds: holds}
}

// names and the others are the kept lists with the daemon's own port in front.
func (d *Daemon) names() []byte  { return d.Registry.Names(uint32(d.Port)) }
func (d *Daemon) dump() []byte   { return d.Registry.Dump(uint32(d.Port)) }
func (d *Daemon) names3() []byte { return d.Registry.Names3(uint32(d.Port)) }
func (d *Daemon) dump3() []byte  { return d.Registry.Dump3(uint32(d.Port)) }

func (d *Daemon) sweep(name []byte) {
	if d.Sweep != nil {
		d.Sweep(name)
	}
}

// unregister ends the registration of a name by force.
func (d *Daemon) unregister(name []byte) []registry.Owner {
	return d.Registry.Unregister(name, registry.ReasonStopped)
}
