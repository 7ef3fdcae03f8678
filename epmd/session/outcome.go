package session

import (
	"errors"
	"strconv"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// Outcome is what became of a request, in one word. It is a small integer below
// [NumOutcomes], fit to index an array of counters.
type Outcome uint8

// The outcomes.
const (
	// Answered: the client got what it asked for.
	Answered Outcome = iota
	// NotFound: the answer was that there is no such node.
	NotFound
	// Refused: the answer was no: to a registration, or to a KILL_REQ while nodes
	// are registered or if Daemon.RefuseKill is set.
	Refused
	// Denied: the peer may not make the request, or there was no room to keep its
	// connection. It was closed unanswered, or refused if it holds something already.
	Denied
	// Faulty: the bytes are no such request; it was closed unanswered, but for what is
	// wrong with a list of transports alone.
	Faulty

	// NumOutcomes is one more than the highest outcome.
	NumOutcomes = iota
)

// String is the outcome's label for a counter: lower-case words joined by _.
func (o Outcome) String() string {
	switch o {
	case Answered:
		return "answered"
	case NotFound:
		return "not_found"
	case Refused:
		return "refused"
	case Denied:
		return "denied"
	case Faulty:
		return "fault"
	}
	return "outcome " + strconv.Itoa(int(o))
}

// Outcome says what became of the request that the chunk completed; it means
// nothing if Tag is 0.
func (r Result) Outcome() Outcome {
	switch {
	case r.Err == nil && !r.Negative:
		return Answered
	case r.Negative && (r.Tag == wire.TagKillReq || r.Tag == wire.TagKill3Req):
		return Refused
	case r.Err == nil:
		return NotFound
	}
	var refusal registry.Refusal
	var fault wire.Fault
	switch {
	case errors.As(r.Err, &refusal):
		return Refused
	case errors.As(r.Err, &fault):
		return Faulty
	}
	return Denied
}
