package epmd

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLatencyBuckets puts durations on both sides of every bound.
func TestLatencyBuckets(t *testing.T) {
	for i := range numBuckets {
		var l latencies
		if i < numBuckets-1 {
			l.add(bucketBound(i))
		}
		if i > 0 {
			l.add(bucketBound(i-1) + 1)
		}
		want := uint64(2)
		if i == 0 || i == numBuckets-1 {
			want = 1
		}
		buckets, _ := l.read()
		require.Equal(t, want, buckets[i], "bucket %d", i)
	}
	var l latencies
	l.add(-time.Second) // a clock that went back
	l.add(0)
	l.add(time.Hour)
	buckets, sum := l.read()
	require.EqualValues(t, 2, buckets[0])
	require.EqualValues(t, 1, buckets[numBuckets-1])
	require.Equal(t, time.Hour, sum)
	require.Zero(t, testing.AllocsPerRun(10, func() { l.add(time.Second) }))
}

// bucketBound is the longest duration that is counted in a bucket.
func bucketBound(bucket int) time.Duration { return time.Microsecond << bucket }
