package epmd

import (
	"net/netip"

	"github.com/goepmd/goepmd/registry"
)

// seated is a connection of an engine: a pointer to what has a seat.
type seated[C any] interface {
	comparable
	place() *seat[C]
	waits() int // bytes of its reply that are in table.pending
}

// seat is what the table keeps of a connection.
type seat[C any] struct {
	owner  registry.Owner
	remote netip.Addr

	prev, next C // in the queue
	queued     whichQueue
	taken      bool  // it is in the table
	registered bool  // counted as such
	underWay   bool  // a shutdown waits for it
	begun      bool  // a part of a request has arrived
	busy       bool  // a chunk is worked on: must not be closed for a limit
	more       bool  // it takes further requests although it is kept
	cause      cause // why this side closes it
}

// kept says whether a connection is one of the registered or refused ones.
func (s *seat[C]) kept() bool { return s.registered || s.queued == queuedRefused }

// cause is why this side closes a connection before its time.
type cause uint8

const (
	causeNone cause = iota
	causeLimit
	causeStopped  // its name was stopped by force
	causeShutdown // the server ends
)
