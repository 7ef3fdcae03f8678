package registry

import (
	"time"

	"github.com/goepmd/goepmd/wire"
)

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
