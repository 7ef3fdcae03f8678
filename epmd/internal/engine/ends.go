package engine

import "errors"

// Why an engine ends.
var (
	ErrClosed     = errors.New("epmd: server closed")
	ErrKilled     = errors.New("epmd: killed by a KILL_REQ")
	ErrIdle       = errors.New("epmd: ended since no node is registered")
	ErrHandedOver = errors.New("epmd: handed over to a successor")
)

// ErrEnds: the engine takes no more listeners, since it ends or has ended.
var ErrEnds = errors.New("the engine ends")

// Why a connection ends, for the log.
var (
	ErrLimit    = errors.New("closed for a limit")
	ErrStopped  = errors.New("its name was stopped")
	ErrTimedOut = errors.New("no complete request in time")
	ErrPartial  = errors.New("ended in the middle of a request")
	ErrNotRead  = errors.New("the reply was not read in time")
)
