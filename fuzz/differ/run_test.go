//go:build unix

package differ

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/wire"
)

// TestRunOTP plays a few thousand steps to our server and to OTP's epmd.
func TestRunOTP(t *testing.T) {
	theirs := otptest.Epmd(t)
	defer goleak.VerifyNone(t)
	var progress atomic.Int64
	r := Run{
		Start: func(ctx context.Context, relaxed bool) (*Pair, error) {
			ours, err := StartServer(relaxed, wire.Standard)
			if err != nil {
				return nil, err
			}
			p, err := StartProgram(ctx, theirs, relaxed)
			if err != nil {
				return nil, errors.Join(err, ours.Stop())
			}
			return &Pair{A: ours, B: p}, nil
		},
		Steps: 5000, Seed: 1, Workers: 2, Life: 500, AloneEvery: 50,
		Progress: func(Stats) { progress.Add(1) },
		Found:    func(d *Difference) { t.Errorf("A is ours, B is OTP's: %s\n%#v", d, d.Conversation) },
	}
	s, err := r.Play(t.Context())
	require.NoError(t, err)
	require.GreaterOrEqual(t, s.Steps, int64(5000))
	require.Positive(t, s.Alone)
	require.Greater(t, s.Pairs, int64(2))
	require.Equal(t, int64(s.Elapsed/time.Second), progress.Load())
	t.Logf("%d conversations, %d connections in %v", s.Conversations, s.Conns, s.Elapsed)
}

// TestRunFinds: a run tells of differences, counts them and fails.
func TestRunFinds(t *testing.T) {
	var found atomic.Int64
	r := Run{
		Start: func(context.Context, bool) (*Pair, error) {
			return &Pair{A: NewSim(true, wire.Standard), B: NewSim(false, wire.Standard), Settle: -1}, nil
		},
		Steps: 100_000, Seed: 1,
		Found: func(*Difference) { found.Add(1) },
	}
	s, err := r.Play(t.Context())
	require.ErrorIs(t, err, ErrDiffers)
	require.Equal(t, s.Differences, found.Load())
	require.GreaterOrEqual(t, s.Differences, int64(maxDifferences))
	require.Zero(t, s.Unsteady)
}

// TestRunFails: daemons that do not start are a failure of this side.
func TestRunFails(t *testing.T) {
	bad := errors.New("bad")
	r := Run{Start: func(context.Context, bool) (*Pair, error) { return nil, bad }, Workers: 2}
	_, err := r.Play(t.Context())
	require.ErrorIs(t, err, bad)
	_, err = StartProgram(t.Context(), "/nonexistent/epmd", false)
	require.ErrorContains(t, err, "does not start")
}

// TestFindsOverSockets: a difference of two servers on sockets is found, comes again
// and is shrunk.
func TestFindsOverSockets(t *testing.T) {
	defer goleak.VerifyNone(t)
	start := func(context.Context, bool) (*Pair, error) {
		a, err := StartServer(true, wire.Standard)
		if err != nil {
			return nil, err
		}
		b, err := StartServer(false, wire.Standard)
		if err != nil {
			return nil, errors.Join(err, a.Stop())
		}
		return &Pair{A: a, B: b, Settle: 50 * time.Millisecond}, nil
	}
	c := Conversation{Steps: []Step{
		{Conn: 0, Bytes: frame(alive2(1, 6, []byte("a"), nil))},
		{Conn: 1, Bytes: frame([]byte("n"))},
		{Conn: 1, Bytes: frame([]byte("sabc"))},
		{Conn: 2, Kind: Open},
		{Conn: 2, Kind: Reset},
	}}
	d, err := Confirm(t.Context(), start, true, c)
	require.NoError(t, err)
	require.NotNil(t, d)
	require.Len(t, d.Conversation.Steps, 1, "%s", d)
	require.Contains(t, d.A, "NOEXISTSTOPPED")
	require.Contains(t, d.B, `"", closed`)
}
