package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLatencyBuckets puts durations on both sides of every bound.
func TestLatencyBuckets(t *testing.T) {
	for i := range NumBuckets {
		var l Latencies
		if i < NumBuckets-1 {
			l.Add(bucketBound(i))
		}
		if i > 0 {
			l.Add(bucketBound(i-1) + 1)
		}
		want := uint64(2)
		if i == 0 || i == NumBuckets-1 {
			want = 1
		}
		buckets, _ := l.Read()
		require.Equal(t, want, buckets[i], "bucket %d", i)
	}
	var l Latencies
	l.Add(-time.Second) // a clock that went back
	l.Add(0)
	l.Add(time.Hour)
	buckets, sum := l.Read()
	require.EqualValues(t, 2, buckets[0])
	require.EqualValues(t, 1, buckets[NumBuckets-1])
	require.Equal(t, time.Hour, sum)
	require.Zero(t, testing.AllocsPerRun(10, func() { l.Add(time.Second) }))
}

// bucketBound is the longest duration that is counted in a bucket.
func bucketBound(bucket int) time.Duration { return time.Microsecond << bucket }
