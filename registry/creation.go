package registry

import (
	"time"

	"github.com/goepmd/goepmd/wire"
)

// newLife gives the record of a name that is registered now, with its counter and to be
// filled in. A name that is remembered, by the record c, goes on with its counter; another
// takes over the record of the oldest remembered one, and its counter as it stands, if
// enough are remembered; else it has a new one.
func (r *Registry) newLife(c *record, n wire.Node) *record {
	now := r.now()
	switch {
	case c != nil: // remembered
		r.old.remove(c)
		c.counter = nextCounter(c.counter)
	case r.old.n > r.remember:
		c = r.old.first
		r.forget(c)
		c.counter = max(c.counter, r.leastCounter())
		r.byName[n.Name] = c
	default:
		c = &record{counter: max(firstCounter(now), r.leastCounter())}
		r.byName[n.Name] = c
	}
	c.name, c.since, c.registered, c.several = n.Name, now.UnixNano(), true, nil
	r.live.pushFirst(c)
	r.registrations++
	r.most = max(r.most, len(r.byName))
	return c
}

// leastCounter is the least that a name which is not remembered may begin with: with a
// floor, above what any name was given that it may have been.
func (r *Registry) leastCounter() uint32 {
	if r.floor == 0 {
		return lowestCounter
	}
	return nextCounter(max(r.floor, r.gone))
}

// lowestCounter keeps the values that older nodes give a special meaning out of
// the 32-bit creations.
const lowestCounter = 4

// firstCounter is the counter of a name that was never seen.
func firstCounter(now time.Time) uint32 { return nextCounter(uint32(now.Unix())) }

// nextCounter adds one and steps over the values below lowestCounter.
func nextCounter(c uint32) uint32 { return max(c+1, lowestCounter) }

// creation is what a node of the given highest version is told of a counter.
func creation(counter uint32, highest uint16) uint32 {
	if highest >= wire.Highest32BitCreation {
		return counter
	}
	return counter%3 + 1
}
