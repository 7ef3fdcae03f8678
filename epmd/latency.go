package epmd

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// numBuckets is how many buckets durations are counted in.
const numBuckets = 25

// latencies counts durations in buckets that double: 1 µs at most in the first, without
// a bound in the last.
type latencies struct {
	buckets [numBuckets]atomic.Uint64
	sum     atomic.Int64
}

// add counts a duration.
func (l *latencies) add(d time.Duration) {
	d = max(d, 0)
	micros := (max(d, 1) + time.Microsecond - 1) / time.Microsecond
	l.buckets[min(bits.Len64(uint64(micros-1)), numBuckets-1)].Add(1)
	l.sum.Add(int64(d))
}

// read gives what each bucket counts, and the sum of all durations.
func (l *latencies) read() (buckets [numBuckets]uint64, sum time.Duration) {
	for i := range l.buckets {
		buckets[i] = l.buckets[i].Load()
	}
	return buckets, time.Duration(l.sum.Load())
}
