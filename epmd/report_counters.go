package epmd

import (
	"errors"
	"sync/atomic"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// counters are the figures that only grow.
type counters struct {
	accepted                                             atomic.Uint64
	requests                                             [256][session.NumOutcomes]atomic.Uint64 // by tag
	latencies                                            latencies
	refusals                                             [registry.NumRefusals]atomic.Uint64
	faults                                               [wire.NumFaults]atomic.Uint64
	denied, partial, timedOut, writeErrors, acceptErrors atomic.Uint64
	limitConns, limitPeer, limitUnfinished, limitRefused atomic.Uint64
	limitPending                                         atomic.Uint64
}

// countResult counts what a request led to, and says whether the peer was not allowed
// to make it.
func (c *counters) countResult(res session.Result) (denied bool) {
	if res.Tag != 0 {
		c.requests[res.Tag][res.Outcome()].Add(1)
	}
	if res.Err == nil {
		return false
	}
	denied = errors.Is(res.Err, session.ErrNotLocal) || errors.Is(res.Err, session.ErrNotListed) || errors.Is(res.Err, session.ErrNotAllowed)
	var refusal registry.Refusal
	var fault wire.Fault
	switch {
	case errors.As(res.Err, &refusal):
		c.refusals[refusal].Add(1)
	case errors.As(res.Err, &fault):
		c.faults[fault].Add(1)
	case denied, errors.Is(res.Err, session.ErrNotRelaxed):
		c.denied.Add(1)
	}
	return denied
}
