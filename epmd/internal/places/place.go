package places

import (
	"net/netip"

	"github.com/goepmd/goepmd/registry"
)

// Placed is a connection of an engine: a pointer to a struct that embeds Place.
type Placed[C any] interface {
	comparable
	place() *Place[C]
	Unsent() int // bytes of its reply that count in Table.Pending
}

// Place is what the table keeps of a connection.
type Place[C any] struct {
	Owner registry.Owner
	Addr  netip.Addr

	prev, Next C // in the queue; Next is free for others while it is in none
	queued     whichQueue
	Counted    bool  // in the table
	Registered bool  // counted as such
	UnderWay   bool  // a shutdown waits for it
	Spoke      bool  // something has arrived: it is not silent
	Busy       bool  // a chunk is worked on: must not be closed for a limit
	More       bool  // it takes further requests although it is kept
	Cause      Cause // why this side closes it
}

// Refused says whether a connection is kept open without a registration.
func (s *Place[C]) Refused() bool { return s.queued == queuedRefused }

// Kept says whether a connection is one of the registered or refused ones.
func (s *Place[C]) Kept() bool { return s.Registered || s.Refused() }

// place finds the place in a connection.
func (s *Place[C]) place() *Place[C] { return s }

// Cause is why this side closes a connection before its time.
type Cause uint8

const (
	CauseNone Cause = iota
	CauseLimit
	CauseStopped  // its name was stopped by force
	CauseShutdown // the server ends
)
