package report

import (
	"errors"
	"sync/atomic"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// Counters are the figures that only grow.
type Counters struct {
	Accepted                                             atomic.Uint64
	Requests                                             [256][session.NumOutcomes]atomic.Uint64 // by tag
	Latencies                                            Latencies
	Refusals                                             [registry.NumRefusals]atomic.Uint64
	Faults                                               [wire.NumFaults]atomic.Uint64
	Denied, Partial, TimedOut, WriteErrors, AcceptErrors atomic.Uint64
	LimitConns, LimitPeer, LimitUnfinished, LimitRefused atomic.Uint64
	LimitPending, HookPanics                             atomic.Uint64
}

// countResult counts what a request led to.
func (c *Counters) countResult(res session.Result) {
	if res.Tag != 0 {
		c.Requests[res.Tag][res.Outcome()].Add(1)
	}
	if res.Err == nil {
		return
	}
	var refusal registry.Refusal
	var fault wire.Fault
	switch {
	case errors.As(res.Err, &refusal):
		c.Refusals[refusal].Add(1)
	case errors.As(res.Err, &fault):
		c.Faults[fault].Add(1)
	case isDenied(res.Err), errors.Is(res.Err, session.ErrNotRelaxed):
		c.Denied.Add(1)
	}
}

// isDenied says whether an error is that a list, or the program, does not allow a peer its
// request.
func isDenied(err error) bool {
	return errors.Is(err, session.ErrNotLocal) || errors.Is(err, session.ErrNotListed) ||
		errors.Is(err, session.ErrNotAllowed) || errors.Is(err, session.ErrKillRefused)
}
