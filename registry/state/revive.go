package state

import (
	"math"
	"slices"
	"time"

	"github.com/goepmd/goepmd/registry"
)

// Margin is how many registrations of one name are reckoned with between the last
// save of a state and a sudden end. It is a multiple of 3, so that the creations 1 to
// 3 of old nodes change too.
const Margin = 1<<18 - 1

// Revive is the names of a daemon that has ended, for one that begins at the given
// time: all of them remembered, the registered ones as those that went last.
//
// A node that comes back must not be given a creation that it, or another of its name, was
// given before. What was given after the state was saved is not known, unless it is
// Final; so each counter goes on Margin higher, and at least from the time. Names that are
// not in the state begin above what such names can have been given: those that were
// forgotten, those that came after the save, and those that took over a record then.
func Revive(s State, now time.Time) registry.Snapshot {
	clock := uint32(now.Unix())
	out := registry.Snapshot{
		Seq: s.Names.Seq, Floor: max(s.Names.Floor, s.Names.Gone, clock),
		LastOwner: s.Names.LastOwner,
	}
	out.Old = append(out.Old, s.Names.Old...)
	for _, e := range slices.Backward(s.Names.Nodes) {
		out.Old = append(out.Old, e)
	}
	margin := uint32(0)
	if !s.Final {
		margin = Margin
		for _, e := range out.Old {
			out.Floor = max(out.Floor, e.Counter)
		}
		out.Floor = above(out.Floor, margin)
	}
	for i := range out.Old {
		out.Old[i].Node.Extra = ""
		c := &out.Old[i].Counter
		*c = above(*c, margin)
		if *c < clock {
			*c = above(*c, (clock-*c+2)/3*3)
		}
	}
	return out
}

// above adds, and begins again where the numbers end.
func above(c, n uint32) uint32 {
	if c > math.MaxUint32-n {
		return n
	}
	return c + n
}
