package epmd

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLatencyBuckets puts durations on both sides of every bound.
func TestLatencyBuckets(t *testing.T) {
	for i := range NumLatencies {
		var l latencies
		if i < NumLatencies-1 {
			l.add(LatencyBound(i))
		}
		if i > 0 {
			l.add(LatencyBound(i-1) + 1)
		}
		want := uint64(2)
		if i == 0 || i == NumLatencies-1 {
			want = 1
		}
		require.Equal(t, want, l.read().Buckets[i], "bucket %d", i)
	}
	var l latencies
	l.add(-time.Second) // a clock that went back
	l.add(0)
	l.add(time.Hour)
	require.EqualValues(t, 2, l.read().Buckets[0])
	require.EqualValues(t, 1, l.read().Buckets[NumLatencies-1])
	require.Equal(t, time.Hour, l.read().Sum)
	require.Zero(t, testing.AllocsPerRun(10, func() { l.add(time.Second) }))
	require.Equal(t, 8388608*time.Microsecond, LatencyBound(NumLatencies-2))
}
