package state_test

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/registry/state"
)

// file is one in memory, which may be full.
type file struct {
	b     []byte
	full  bool
	io    int // writes
	stats int // once for each base
}

var errFull = errors.New("no space left")

func (f *file) ReadAt(b []byte, at int64) (int, error) {
	if at >= int64(len(f.b)) {
		return 0, io.EOF
	}
	n := copy(b, f.b[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(b []byte, at int64) (int, error) {
	if f.full {
		return 0, errFull
	}
	f.io++
	if end := int(at) + len(b); end > len(f.b) {
		f.b = append(f.b, make([]byte, end-len(f.b))...)
	}
	return copy(f.b[at:], b), nil
}

func (f *file) Stat() (fs.FileInfo, error) {
	f.stats++
	return info{size: int64(len(f.b))}, nil
}

type info struct {
	fs.FileInfo
	size int64
}

func (i info) Size() int64 { return i.size }

// read is the journal's names, without the number of events, which counts refusals.
func read(t *testing.T, f state.File) registry.Snapshot {
	t.Helper()
	s, err := state.ReadJournal(f)
	require.NoError(t, err)
	return canonical(t, s)
}

// canonical is what a registry makes of a snapshot: creations are not kept.
func canonical(t *testing.T, s registry.Snapshot) registry.Snapshot {
	t.Helper()
	r := registry.New(registry.Config{})
	require.NoError(t, r.Restore(s))
	return snapshot(r)
}

func snapshot(r *registry.Registry) registry.Snapshot {
	s := r.Snapshot()
	s.Seq = 0
	return s
}

// churn makes one random change, or none.
func churn(r *registry.Registry, rnd *rand.Rand) {
	n := node("n" + strconv.Itoa(rnd.IntN(12)))
	o := registry.Owner(rnd.IntN(8))
	switch rnd.IntN(7) {
	case 2, 3:
		n.Transport = []string{"", "inet_tcp", "inet_tls", "uds"}[rnd.IntN(4)]
		_, _ = r.RegisterTransport(o, n) // likewise
	case 0:
		r.Release(o, registry.ReasonClosed)
	case 1:
		r.Unregister([]byte(n.Name), registry.ReasonStopped)
	default:
		n.Port = uint16(rnd.IntN(1 << 16))
		_, _ = r.Register(o, n) // it may be taken
	}
}

// TestJournal: after every change the journal reads back as the registry is, also
// when another goes on with it, and when it is cut anywhere in its last record.
func TestJournal(t *testing.T) {
	for _, remember := range []int{-1, 3, 0, math.MaxInt} {
		t.Run(strconv.Itoa(remember), func(t *testing.T) {
			t.Parallel()
			testJournal(t, remember)
		})
	}
}

func testJournal(t *testing.T, remember int) {
	rnd := rand.New(rand.NewPCG(1, uint64(remember)))
	now := time.Unix(1000, 0)
	f := new(file)
	c := registry.Config{Now: func() time.Time { return now }, Remember: remember}
	c.OnEvent = state.NewJournal(f, remember).OnEvent
	r := registry.New(c)
	for i := range 2000 {
		before, size, seq := snapshot(r), len(f.b), r.Snapshot().Seq
		heads := slices.Clone(f.b[:min(size, 8192)])
		now = now.Add(time.Duration(rnd.IntN(int(time.Second))))
		churn(r, rnd)
		if size == 0 {
			continue
		}
		require.Equal(t, snapshot(r), read(t, f))
		if !slices.Equal(heads, f.b[:len(heads)]) {
			continue // a new base, with nothing behind it
		}
		if grown := len(f.b) - size; grown > 0 && r.Snapshot().Seq == seq+1 {
			whole := f.b
			f.b = slices.Clone(whole[:size+rnd.IntN(grown)])
			require.Equal(t, before, read(t, f), "a record that is not whole counts for nothing")
			f.b = whole
		}
		if i%300 == 0 {
			c.OnEvent = state.NewJournal(f, remember).OnEvent
			next := registry.New(c)
			require.NoError(t, next.Restore(r.Snapshot()))
			r = next
			require.Equal(t, snapshot(r), read(t, f), "it is good until the first change")
		}
	}
}

// TestJournalGrows: it is written anew now and then, always whole, and gives back
// what is not needed any more.
func TestJournalGrows(t *testing.T) {
	f := new(file)
	j := state.NewJournal(f, 0)
	freed := int64(0)
	j.Free = func(at, n int64) {
		clear(f.b[at : at+n])
		freed = at + n
	}
	r := registry.New(registry.Config{OnEvent: j.OnEvent})
	for range 100_000 {
		_, err := r.Register(1, node("a"))
		require.NoError(t, err)
		r.Release(1, registry.ReasonClosed)
	}
	require.NoError(t, j.Err())
	require.Equal(t, snapshot(r), read(t, f))
	require.Greater(t, freed, int64(1<<20))
	require.Less(t, int64(len(f.b))-freed, int64(2<<20))
}

// TestJournalForgets: names beyond all that is remembered are forgotten in it too.
func TestJournalForgets(t *testing.T) {
	f := new(file)
	r := registry.New(registry.Config{Remember: -1, OnEvent: state.NewJournal(f, -1).OnEvent})
	const nodes = registry.RememberBeyond + 3
	for o := range registry.Owner(nodes) {
		_, err := r.Register(o, node(strconv.Itoa(int(o))))
		require.NoError(t, err)
	}
	for o := range registry.Owner(nodes) {
		r.Release(o, registry.ReasonClosed)
	}
	require.Len(t, r.Snapshot().Old, registry.RememberBeyond)
	require.Equal(t, snapshot(r), read(t, f))
}

// TestJournalFull: when there is no room the journal stays good as of then, and it
// catches up once there is.
func TestJournalFull(t *testing.T) {
	f := new(file)
	j := state.NewJournal(f, 0)
	now := time.Unix(1000, 0)
	r := registry.New(registry.Config{OnEvent: j.OnEvent, Now: func() time.Time { return now }})
	_, err := r.Register(1, node("a"))
	require.NoError(t, err)
	_, err = r.Register(2, node("b"))
	require.NoError(t, err)
	before := snapshot(r)
	f.full = true
	for o := range registry.Owner(3) {
		r.Release(o, registry.ReasonClosed)
		require.Equal(t, before, read(t, f))
	}
	require.ErrorIs(t, j.Err(), errFull)
	f.full = false
	now = now.Add(time.Second)
	_, err = r.Register(3, node("c"))
	require.NoError(t, err)
	require.NoError(t, j.Err())
	require.Equal(t, snapshot(r), read(t, f))
}

// TestJournalRests: a journal that cannot be written does not copy the whole registry for
// each event, and catches up within a minute, or when the clock is set back.
func TestJournalRests(t *testing.T) {
	for name, begun := range map[string]bool{"from its first base on": false, "later": true} {
		t.Run(name, func(t *testing.T) {
			f := new(file)
			j := state.NewJournal(f, 0)
			now := time.Unix(1000, 0)
			r := registry.New(registry.Config{OnEvent: j.OnEvent, Now: func() time.Time { return now }})
			change := func(after time.Duration) {
				now = now.Add(after)
				_, err := r.Register(1, node("a"))
				require.NoError(t, err)
				r.Release(1, registry.ReasonClosed)
			}
			if begun {
				change(0)
			}
			f.full, f.stats = true, 0
			for range 1000 {
				change(time.Second / 10)
				require.ErrorIs(t, j.Err(), errFull)
			}
			// After 0, 1, 3, 7, 15, 31 and 63 seconds.
			require.Equal(t, 7, f.stats)
			f.full = false
			change(time.Minute)
			require.NoError(t, j.Err())
			require.Equal(t, snapshot(r), read(t, f))

			f.full = true
			change(0)
			f.full = false
			change(-time.Hour)
			require.NoError(t, j.Err())
			require.Equal(t, snapshot(r), read(t, f))
		})
	}
}

// TestJournalDamage: what is no journal, or too new a one, is said to be so, and no
// flipped bit makes names that never were.
func TestJournalDamage(t *testing.T) {
	_, err := state.ReadJournal(new(file))
	require.ErrorIs(t, err, state.ErrDamaged)

	f := new(file)
	states := []registry.Snapshot{}
	r := registry.New(registry.Config{OnEvent: state.NewJournal(f, 0).OnEvent})
	for i := range 6 {
		_, err := r.Register(registry.Owner(i), node(strconv.Itoa(i)))
		require.NoError(t, err)
		states = append(states, snapshot(r))
	}
	for i := range f.b {
		if f.b[i] == 0 {
			continue
		}
		f.b[i] ^= 0x10
		s, err := state.ReadJournal(f)
		f.b[i] ^= 0x10
		if err != nil {
			require.True(t, errors.Is(err, state.ErrDamaged) || errors.Is(err, state.ErrVersion), "byte %d: %v", i, err)
			continue
		}
		s = canonical(t, s)
		require.Contains(t, states, s, "byte %d", i)
	}
}

// TestJournalVersion: a journal of a version that is too new is refused, and not
// written over.
func TestJournalVersion(t *testing.T) {
	f := new(file)
	r := registry.New(registry.Config{OnEvent: state.NewJournal(f, 0).OnEvent})
	_, err := r.Register(1, node("a"))
	require.NoError(t, err)
	state.SetJournalVersion(f.b[4096:], state.Version+1)
	_, err = state.ReadJournal(f)
	require.ErrorIs(t, err, state.ErrVersion)
	writes := f.io
	j := state.NewJournal(f, 0)
	next := registry.New(registry.Config{OnEvent: j.OnEvent})
	require.NoError(t, next.Restore(r.Snapshot()))
	r = next
	r.Release(1, registry.ReasonClosed)
	require.ErrorIs(t, j.Err(), state.ErrVersion)
	require.Equal(t, writes, f.io)
}
