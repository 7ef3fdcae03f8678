package epmd

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// NumLatencies is the number of buckets of [Latencies].
const NumLatencies = 25

// Latencies count durations in buckets that double: coarse, and cheap to count.
type Latencies struct {
	// Buckets[i] counts those of at most LatencyBound(i) that are in no bucket
	// before it; the last one has no bound.
	Buckets [NumLatencies]uint64
	// Sum is all of them together.
	Sum time.Duration
}

// LatencyBound is the longest duration that is counted in a bucket of [Latencies]
// other than the last: 1 µs in bucket 0, 8.4 s in bucket NumLatencies-2.
func LatencyBound(bucket int) time.Duration { return time.Microsecond << bucket }

// latencies are Latencies as they are counted.
type latencies struct {
	buckets [NumLatencies]atomic.Uint64
	sum     atomic.Int64
}

func (l *latencies) add(d time.Duration) {
	d = max(d, 0)
	micros := (max(d, 1) + time.Microsecond - 1) / time.Microsecond
	l.buckets[min(bits.Len64(uint64(micros-1)), NumLatencies-1)].Add(1)
	l.sum.Add(int64(d))
}

func (l *latencies) read() Latencies {
	out := Latencies{Sum: time.Duration(l.sum.Load())}
	for i := range l.buckets {
		out.Buckets[i] = l.buckets[i].Load()
	}
	return out
}
