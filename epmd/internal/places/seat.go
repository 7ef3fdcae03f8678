package places

import (
	"net/netip"

	"github.com/goepmd/goepmd/registry"
)

// Seated is a connection of an engine: a pointer to what has a seat.
type Seated[C any] interface {
	comparable
	Place() *Seat[C]
	Unsent() int // bytes of its reply that are in table.pending
}

// Seat is what the table keeps of a connection.
type Seat[C any] struct {
	Owner registry.Owner
	Addr  netip.Addr

	prev, Next C // in the queue
	Queued     whichQueue
	Taken      bool  // it is in the table
	Registered bool  // counted as such
	UnderWay   bool  // a shutdown waits for it
	Begun      bool  // a part of a request has arrived
	Busy       bool  // a chunk is worked on: must not be closed for a limit
	More       bool  // it takes further requests although it is kept
	Cause      Cause // why this side closes it
}

// Kept says whether a connection is one of the registered or refused ones.
func (s *Seat[C]) Kept() bool { return s.Registered || s.Queued == QueuedRefused }

// Cause is why this side closes a connection before its time.
type Cause uint8

const (
	CauseNone Cause = iota
	CauseLimit
	CauseStopped  // its name was stopped by force
	CauseShutdown // the server ends
)
