package bench

import (
	"bytes"
	"context"
	"time"

	"github.com/goepmd/goepmd/wire"
)

// runIdle registers the nodes, holds them, closes all, and reads memory in between.
func runIdle(ctx context.Context, p Plan, d *daemon, set *nodes) (Side, error) {
	r := &IdleRun{Gone: -1}
	if why := warmUp(ctx, d, set); why != "" {
		return Side{Stopped: why}, nil
	}
	pause(ctx, p.Time)
	var err error
	if r.Empty, err = d.Resident(); err != nil {
		return Side{}, err
	}
	before, err := d.read()
	if err != nil {
		return Side{}, err
	}
	held := fill(ctx, d, set, p.Clients)
	defer held.close()
	s := Side{Held: len(held.fds), Stopped: held.stopped, Idle: r}
	if d.died(held.stopped != "") != "" || ctx.Err() != nil || s.Held == 0 {
		s.Idle = nil
		return s, nil
	}
	full, err := d.read()
	if err != nil {
		return s, err
	}
	r.FillTook, r.FillCPU = full.at.Sub(before.at), full.server-before.server
	r.FirstRate, r.LastRate = held.rates()
	pause(ctx, p.Time)
	rested, err := d.read()
	if err != nil {
		return s, err
	}
	r.RestTook, r.RestCPU = rested.at.Sub(full.at), rested.server-full.server
	if r.Full, err = d.Resident(); err != nil {
		return s, err
	}
	r.Lost = lost(d, held)
	last := held.nodes[s.Held-1]
	begun := time.Now()
	held.close()
	if awaitNobody(ctx, d, last, begun.Add(GoneWithin)) {
		r.Gone = time.Since(begun)
	}
	pause(ctx, p.Time)
	r.After, err = d.Resident()
	return s, err
}

// warmUp lets a daemon do once what is measured, so that its code is in memory
// before that is read. It says why it cannot, if so.
func warmUp(ctx context.Context, d *daemon, set *nodes) string {
	few := &nodes{all: set.all[:min(len(set.all), 100)]}
	held := fill(ctx, d, few, 1)
	defer held.close()
	if len(held.fds) == 0 {
		return held.stopped
	}
	last := held.nodes[len(held.nodes)-1]
	// One that is full answers nobody.
	if held.stopped == "" {
		answer, err := newDialer(d.Port, loadBlock).ask(last.lookup, make([]byte, wire.MaxPacketLen))
		if err = same(answer, last.found, err); err == nil {
			_, err = d.list(len(few.all))
		}
		if err != nil {
			return err.Error()
		}
	}
	held.close()
	if !awaitNobody(ctx, d, last, time.Now().Add(GoneWithin)) {
		return "nodes are still registered after their end"
	}
	return ""
}

// lost is how many of the held are not in the list; -1 if it cannot be had.
func lost(d *daemon, held *parked) int {
	list, err := d.list(len(held.nodes))
	if err != nil {
		return -1
	}
	missing, err := checkList(list, held.nodes)
	if err != nil {
		return -1
	}
	return missing
}

// awaitNobody waits until nobody is registered, and says whether it was in time. It looks
// up the last of those that were, and asks for the list only when that one is
// gone: making long lists would keep the daemon from its work.
func awaitNobody(ctx context.Context, d *daemon, last *node, until time.Time) bool {
	dial := newDialer(d.Port, loadBlock)
	room := make([]byte, wire.MaxPacketLen)
	for wait := time.Millisecond; time.Now().Before(until) && ctx.Err() == nil; wait = min(2*wait, 20*time.Millisecond) {
		// What cannot be had, because the daemon is full or busy, is asked for again.
		if answer, err := dial.ask(last.lookup, room); err == nil && bytes.Equal(answer, notFound) {
			list, err := d.list(0)
			if err == nil && len(list) <= listHead {
				return true
			}
		}
		pause(ctx, wait)
	}
	return false
}

// notFound is the answer to a lookup of a name that nobody has; listHead is the length
// of the empty list, a port number.
var notFound = []byte{'w', 1}

const listHead = 4
