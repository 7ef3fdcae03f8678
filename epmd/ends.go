package epmd

import "errors"

// Why an engine ends.
var (
	errClosed     = errors.New("epmd: server closed")
	errKilled     = errors.New("epmd: killed by a KILL_REQ")
	errIdle       = errors.New("epmd: ended since no node is registered")
	errHandedOver = errors.New("epmd: handed over to a successor")
)

// Why a connection ends, for the log.
var (
	errLimit    = errors.New("closed for a limit")
	errStopped  = errors.New("its name was stopped")
	errTimedOut = errors.New("no complete request in time")
	errPartial  = errors.New("ended in the middle of a request")
	errNotTaken = errors.New("the reply was not taken in time")
)
