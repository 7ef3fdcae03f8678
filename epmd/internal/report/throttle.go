package report

import (
	"sync/atomic"
	"time"
)

// throttle lets one of a stream of like messages through each second.
type throttle struct{ next atomic.Int64 }

func (t *throttle) allow(now time.Time) bool {
	next := t.next.Load()
	return now.UnixNano() >= next && t.next.CompareAndSwap(next, now.Add(time.Second).UnixNano())
}
