package epmd_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestOutcomes: requests are counted by what became of them.
func TestOutcomes(t *testing.T) { onEngines(t, testOutcomes) }

func testOutcomes(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	s.register(t, "foo")
	s.register(t, "foo")
	for range 3 {
		_, err := s.client().Lookup(ctx(t), "foo")
		require.NoError(t, err)
	}
	for range 2 {
		_, err := s.client().Lookup(ctx(t), "bar")
		require.ErrorIs(t, err, epmd.ErrNotFound)
	}
	require.Error(t, s.client().Kill(ctx(t)))
	require.Error(t, s.client().Stop(ctx(t), "foo"))
	for _, tag := range []byte{'?', '!', byte(wire.TagPortPlease2Req)} {
		c := s.dial(t)
		_, err := c.Write([]byte{0, 1, tag})
		require.NoError(t, err)
		require.Empty(t, requireClosed(t, c))
	}
	type of = [session.NumOutcomes]uint64
	require.Equal(t, map[wire.Tag]of{
		0:                      {session.Faulty: 2},
		wire.TagAlive2Req:      {session.Answered: 1, session.Refused: 1},
		wire.TagPortPlease2Req: {session.Answered: 3, session.NotFound: 2, session.Faulty: 1},
		wire.TagNamesReq:       {},
		wire.TagDumpReq:        {},
		wire.TagKillReq:        {session.Refused: 1},
		wire.TagStopReq:        {session.Denied: 1},
	}, s.Stats().Outcomes)
	require.EqualValues(t, 6, s.Stats().PortPlease2)
	require.EqualValues(t, 2, s.Stats().Other)
	require.Equal(t, registry.Stats{Seq: 2, Nodes: 1, Registrations: 1}, s.Stats().Registry)
	require.True(t, s.Unregister("foo"))
	require.EqualValues(t, 1, s.Stats().Registry.Ended[registry.ReasonStopped])
}

// TestLatencies: each reply that was written is counted, if it was asked for, and no
// end without a reply.
func TestLatencies(t *testing.T) {
	t.Parallel()
	onEngines(t, testLatencies)
}

func testLatencies(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	const delay = 20 * time.Millisecond
	s := run(t, &epmd.Server{Engine: engine, MeasureLatency: true, WriteDelay: delay})
	_, resp := s.register(t, "foo")
	require.Zero(t, resp.Result)
	_, err := s.client().Names(ctx(t))
	require.NoError(t, err)
	silent := s.dial(t)
	require.NoError(t, silent.Close())
	require.Error(t, s.client().Stop(ctx(t), "foo"))
	// A reply is there before it is measured.
	require.Eventually(t, func() bool { return s.Stats().Conns == 1 && count(s.Stats().Latencies) >= 2 }, patience, tick)
	got := s.Stats().Latencies
	require.EqualValues(t, 2, count(got))
	require.GreaterOrEqual(t, got.Sum, 2*delay)
	for i, n := range got.Buckets {
		require.True(t, n == 0 || i == epmd.NumLatencies-1 || epmd.LatencyBound(i) >= delay, "bucket %d", i)
	}

	unasked := run(t, &epmd.Server{Engine: engine})
	_, err = unasked.client().Names(ctx(t))
	require.NoError(t, err)
	require.Zero(t, unasked.Stats().Latencies)
}

// TestLatencyOfPieces: the time that a client takes to send its request is not the
// server's.
func TestLatencyOfPieces(t *testing.T) {
	t.Parallel()
	onEngines(t, testLatencyOfPieces)
}

func testLatencyOfPieces(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	const pause = 100 * time.Millisecond
	s := run(t, &epmd.Server{Engine: engine, MeasureLatency: true})
	c := s.dial(t)
	_, err := c.Write([]byte{0})
	require.NoError(t, err)
	time.Sleep(pause) // it is the client's time that must not count
	complete := time.Now()
	_, err = c.Write([]byte{1, byte(wire.TagNamesReq)})
	require.NoError(t, err)
	require.NotEmpty(t, requireClosed(t, c))
	took := time.Since(complete) // however busy the machine is
	got := s.Stats().Latencies
	require.EqualValues(t, 1, count(got))
	require.LessOrEqual(t, got.Sum, took)
}

func count(l epmd.Latencies) (n uint64) {
	for _, b := range l.Buckets {
		n += b
	}
	return n
}

// TestLatencyBound: the bounds double from 1 µs on.
func TestLatencyBound(t *testing.T) {
	require.Equal(t, time.Microsecond, epmd.LatencyBound(0))
	require.Equal(t, 8388608*time.Microsecond, epmd.LatencyBound(epmd.NumLatencies-2))
}
