package state

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/goepmd/goepmd/registry"
)

// State is a daemon at one moment.
type State struct {
	// Saved is when that was.
	Saved time.Time
	// Final says that nothing has changed since: the daemon has ended in good order.
	Final bool
	// Names are the names, registered and remembered. Creation is not kept, since
	// it follows from Counter.
	Names registry.Snapshot
	// Listeners is how many sockets it listens on.
	Listeners int
	// Conns are its connections. Of each kind the ones that came first stand first.
	Conns []Conn
}

// Conn is where one connection stands.
type Conn struct {
	// Owner is its number, by which Names knows it.
	Owner registry.Owner
	// Remote is the other end, with port 0 for a Unix socket.
	Remote netip.AddrPort
	Phase  Phase
	// More says that it takes further requests although it is kept.
	More bool
	// In is what has arrived of a request that is not complete.
	In []byte
	// Out is what is still to be written of an answer.
	Out []byte
	// Age is how long it has been waiting for the rest of its request, or for its
	// answer to be read.
	Age time.Duration
}

// Phase is what a connection waits for.
type Phase uint8

// The phases.
const (
	_          Phase = iota
	Reading          // for its request
	Registered       // for its end: it holds a registration
	Refused          // for its end: it was refused, and is kept
	Closing          // for its answer to be read, to be closed then
	Stopping         // likewise, and then the daemon is to end: the answer is that to a KILL_REQ

	numPhases = iota
)

// String is the phase as one lower-case word.
func (p Phase) String() string {
	switch p {
	case Reading:
		return "reading"
	case Registered:
		return "registered"
	case Refused:
		return "refused"
	case Closing:
		return "closing"
	case Stopping:
		return "stopping"
	}
	return "phase " + strconv.Itoa(int(p))
}
