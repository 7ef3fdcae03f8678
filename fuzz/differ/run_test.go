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

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/fuzz/model"
	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/wire"
)

// TestRunOTP plays a few thousand steps to OTP's epmd and to our server, with either engine.
func TestRunOTP(t *testing.T) {
	theirs := otptest.Epmd(t)
	defer goleak.VerifyNone(t)
	for _, engine := range []epmd.Engine{epmd.EngineAuto, epmd.EnginePortable} {
		var progress atomic.Int64
		r := alike(t, func(_ context.Context, relaxed bool) (Target, error) {
			return startServer(relaxed, wire.Standard, engine)
		}, func(ctx context.Context, relaxed bool) (Target, error) { return StartProgram(ctx, theirs, relaxed) })
		r.Workers, r.Life, r.Progress = 2, 500, func(Stats) { progress.Add(1) }
		s, err := r.Play(t.Context())
		require.NoError(t, err)
		require.GreaterOrEqual(t, s.Steps, r.Steps)
		require.Positive(t, s.Alone)
		require.Greater(t, s.Pairs, int64(2))
		require.Equal(t, int64(s.Elapsed/time.Second), progress.Load())
		t.Logf("%d conversations, %d connections in %v", s.Conversations, s.Conns, s.Elapsed)
	}
}

// TestRunSelf: our server does not differ from itself, with either engine.
func TestRunSelf(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, engine := range []epmd.Engine{epmd.EngineAuto, epmd.EnginePortable} {
		start := func(engine epmd.Engine) func(context.Context, bool) (Target, error) {
			return func(_ context.Context, relaxed bool) (Target, error) {
				return startServer(relaxed, wire.Standard, engine)
			}
		}
		_, err := alike(t, start(epmd.EngineAuto), start(engine)).Play(t.Context())
		require.NoError(t, err)
	}
}

// alike is a run of daemons that must not differ, from a new seed.
func alike(t *testing.T, a, b func(context.Context, bool) (Target, error)) *Run {
	t.Helper()
	return &Run{
		Start: func(ctx context.Context, relaxed bool) (*Pair, error) {
			first, err := a(ctx, relaxed)
			if err != nil {
				return nil, err
			}
			second, err := b(ctx, relaxed)
			if err != nil {
				return nil, errors.Join(err, first.Stop())
			}
			return &Pair{A: first, B: second}, nil
		},
		Steps: 5000, Seed: uint64(property.Seed(t)), Seeds: suiteSeeds(t),
		Found: func(d *Difference) { t.Errorf("A is ours: %s\n%#v", d, d.Conversation) },
	}
}

// TestRunFinds: a run tells of differences, counts them and fails.
func TestRunFinds(t *testing.T) {
	var found atomic.Int64
	r := Run{
		Start: func(context.Context, bool) (*Pair, error) {
			return &Pair{A: NewSim(true, wire.Standard), B: NewSim(false, wire.Standard), Settle: -1}, nil
		},
		Steps: 100_000, Seed: uint64(property.Seed(t)),
		Found: func(*Difference) { found.Add(1) },
	}
	s, err := r.Play(t.Context())
	require.ErrorIs(t, err, ErrDiffers)
	require.Equal(t, s.Differences, found.Load())
	require.GreaterOrEqual(t, s.Differences, int64(maxDifferences))
	require.Zero(t, s.Unsteady)
}

// TestRunUnsteady: differences that do not come again are told and counted; a few of them are
// no failure, more are.
func TestRunUnsteady(t *testing.T) {
	for times, want := range map[int]error{MaxUnsteady: nil, MaxUnsteady + 1: ErrDiffers} {
		lookups, next, was := 0, 50, 0
		var found []*Difference
		r := Run{
			Start: func(_ context.Context, relaxed bool) (*Pair, error) {
				b := newModelled(relaxed)
				b.after = func(_ *modelled, body string, a *model.Answer) {
					if body[0] != 'z' {
						return
					}
					if lookups++; lookups == next && was < times {
						was++
						a.Reply = "w\x02"
					}
				}
				return &Pair{A: NewSim(relaxed, wire.Standard), B: b, Settle: -1}, nil
			},
			Steps: 20_000, Seed: uint64(property.Seed(t)),
			Found: func(d *Difference) {
				found = append(found, d)
				next = lookups + 50
			},
		}
		s, err := r.Play(t.Context())
		require.ErrorIs(t, err, want)
		require.Zero(t, s.Differences)
		require.Equal(t, int64(times), s.Unsteady)
		require.Len(t, found, times)
		for _, d := range found {
			require.True(t, d.Unsteady)
			require.Contains(t, d.String(), "once and not again")
		}
	}
}

// TestRunHistory: a difference that depends on what came before is found by that, and comes
// again from the same seed.
func TestRunHistory(t *testing.T) {
	seed := uint64(property.Seed(t))
	var told [2][]*Difference
	for i := range told {
		r := Run{
			Start: func(_ context.Context, relaxed bool) (*Pair, error) {
				b := newModelled(relaxed)
				b.after = late(2000, "n", "")
				return &Pair{A: NewSim(relaxed, wire.Standard), B: b, Settle: -1}, nil
			},
			Steps: 50_000, Seed: seed,
			Found: func(d *Difference) { told[i] = append(told[i], d) },
		}
		s, err := r.Play(t.Context())
		require.ErrorIs(t, err, ErrDiffers)
		require.Positive(t, s.Differences)
		require.Zero(t, s.Unsteady)
		for _, d := range told[i] {
			require.False(t, d.Unsteady)
			require.Greater(t, d.Before, 100)
			require.Contains(t, d.String(), "conversations before this one")
		}
	}
	require.Equal(t, told[0], told[1])
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
