package report

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// NumBuckets is how many buckets durations are counted in.
const NumBuckets = 25

// Latencies counts durations in buckets that double: 1 µs at most in the first, without
// a bound in the last.
type Latencies struct {
	buckets [NumBuckets]atomic.Uint64
	sum     atomic.Int64
}

// Add counts a duration.
func (l *Latencies) Add(d time.Duration) {
	d = max(d, 0)
	micros := (max(d, 1) + time.Microsecond - 1) / time.Microsecond
	l.buckets[min(bits.Len64(uint64(micros-1)), NumBuckets-1)].Add(1)
	l.sum.Add(int64(d))
}

// Read gives what each bucket counts, and the sum of all durations.
func (l *Latencies) Read() (buckets [NumBuckets]uint64, sum time.Duration) {
	for i := range l.buckets {
		buckets[i] = l.buckets[i].Load()
	}
	return buckets, time.Duration(l.sum.Load())
}
