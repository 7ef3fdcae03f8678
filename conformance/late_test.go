package conformance

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestInTime(t *testing.T) {
	play := func(timeout time.Duration, late []time.Duration, verdicts ...Verdict) (Result, int) {
		n := 0
		watch := func() func() time.Duration { return func() time.Duration { return late[n-1] } }
		res := inTime(timeout, watch, func() Result {
			n++
			return Result{Verdict: verdicts[n-1]}
		})
		return res, n
	}
	const busy = time.Second
	res, n := play(time.Second, []time.Duration{0}, Failed)
	require.Equal(t, Failed, res.Verdict, "the machine was in time, so the daemon failed")
	require.Equal(t, 1, n)
	res, n = play(time.Second, []time.Duration{busy, busy, 0}, Failed, Failed, Failed)
	require.Equal(t, Failed, res.Verdict)
	require.Equal(t, 3, n)
	res, n = play(time.Second, []time.Duration{busy, busy}, Failed, Passed)
	require.Equal(t, Passed, res.Verdict)
	require.Equal(t, 2, n)
	res, n = play(time.Second, []time.Duration{busy, 0}, Broken, Passed)
	require.Equal(t, Passed, res.Verdict)
	require.Equal(t, 2, n)
	res, n = play(0, []time.Duration{busy}, Failed)
	require.Equal(t, Failed, res.Verdict, "there is no time-out to be late for")
	require.Equal(t, 1, n)
	res, n = play(time.Second, []time.Duration{busy, busy, busy, busy, busy}, Failed, Failed, Failed, Failed, Failed)
	require.Equal(t, Broken, res.Verdict)
	require.Contains(t, res.Reason, "the machine was 1s late, too much for a time-out of 1s")
	require.Equal(t, lateTries, n)
}

// TestWatchMachine: every real machine is late by a little, and in a bubble nothing is.
func TestWatchMachine(t *testing.T) {
	late := watchMachine()
	time.Sleep(50 * time.Millisecond)
	require.Positive(t, late())
	synctest.Test(t, func(t *testing.T) {
		late := watchMachine()
		time.Sleep(time.Hour)
		require.Zero(t, late())
	})
}
