package registry_test

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
)

// comeAndGo registers n names and releases them, the one with the lowest number
// first. Number i has the counter 2001+i.
func comeAndGo(t *testing.T, r *registry.Registry, c *clock, n int) {
	t.Helper()
	for i := range n {
		c.set(2000 + int64(i))
		require.Equal(t, uint32(2001+i), register(t, r, registry.Owner(i), otpNode(numbered(i), uint16(i))))
	}
	for i := range n {
		r.Release(registry.Owner(i), registry.ReasonClosed)
	}
	c.set(90_000)
}

func numberedFrom(first, end int) []string {
	names := []string{}
	for i := first; i < end; i++ {
		names = append(names, numbered(i))
	}
	return names
}

var remembers = []struct {
	name       string
	config, in int // what Config says, how many that is
}{
	{"default", 0, 1000},
	{"debug", registry.DebugRemember, 5},
	{"one", 1, 1},
	{"none", -1, 0},
	{"none, too", -1000, 0},
}

func TestRememberConstants(t *testing.T) {
	require.Equal(t, 1000, registry.DefaultRemember)
	require.Equal(t, 5, registry.DebugRemember)
	require.Equal(t, 1024, registry.RememberBeyond)
}

func TestRememberAtTheBorder(t *testing.T) {
	for _, c := range remembers {
		t.Run(c.name, func(t *testing.T) {
			r, clock := newRegistry(c.config)
			comeAndGo(t, r, clock, c.in)
			require.Equal(t, uint32(90_001), register(t, r, 1, otpNode("new", 1)))
			require.Equal(t, numberedFrom(0, c.in), oldNames(r))
			require.Equal(t, []string{"new"}, nodeNames(r))
			require.NoError(t, r.Verify())
		})
	}
}

func TestRememberOverTheBorder(t *testing.T) {
	for _, c := range remembers {
		t.Run(c.name, func(t *testing.T) {
			r, clock := newRegistry(c.config)
			comeAndGo(t, r, clock, c.in+1)

			// The new name takes over the oldest record, its counter as it stands.
			require.Equal(t, uint32(2001), register(t, r, 1, otpNode("new", 1)))
			require.Equal(t, uint32(2001), r.Snapshot().Nodes[0].Counter)
			require.Equal(t, numberedFrom(1, c.in+1), oldNames(r))
			require.Equal(t, []string{"new"}, nodeNames(r))
			_, found := r.Lookup([]byte(numbered(0)))
			require.False(t, found)

			// The name that lost its record was never seen.
			require.Equal(t, uint32(90_001), register(t, r, 2, otpNode(numbered(0), 2)))
			require.Equal(t, numberedFrom(1, c.in+1), oldNames(r))
			require.Equal(t, []string{numbered(0), "new"}, nodeNames(r))

			// What was taken over is a name like any other.
			r.Release(1, registry.ReasonClosed)
			require.Equal(t, uint32(2002), register(t, r, 1, otpNode("new", 1)))
			require.NoError(t, r.Verify())
		})
	}
}

func TestRememberForgottenNameTakesOver(t *testing.T) {
	const remember = 5
	r, clock := newRegistry(remember)
	comeAndGo(t, r, clock, remember+3)
	require.Equal(t, uint32(2001), register(t, r, 1, otpNode("new", 1)))
	require.Equal(t, uint32(2002), register(t, r, 2, otpNode(numbered(0), 2)))
	require.Equal(t, uint32(2003), register(t, r, 3, otpNode("newer", 3)))
	require.Equal(t, uint32(90_001), register(t, r, 4, otpNode("newest", 4)))
	require.Equal(t, numberedFrom(3, remember+3), oldNames(r))
	require.NoError(t, r.Verify())
}

// A remembered name continues its own record however many are remembered.
func TestRememberedNameReturnsOverTheBorder(t *testing.T) {
	const remember = 5
	for i := range remember + 3 {
		r, clock := newRegistry(remember)
		comeAndGo(t, r, clock, remember+3)
		require.Equal(t, uint32(2002+i), register(t, r, 1, otpNode(numbered(i), 1)))
		want := numberedFrom(0, remember+3)
		require.Equal(t, slices.Delete(want, i, i+1), oldNames(r))
		require.NoError(t, r.Verify())
	}
}

// The oldest is the one unregistered longest ago, not the one registered first.
func TestRememberCountsFromTheUnregistration(t *testing.T) {
	r, clock := newRegistry(1)
	require.Equal(t, uint32(1001), register(t, r, 1, otpNode("a", 1)))
	clock.set(2000)
	require.Equal(t, uint32(2001), register(t, r, 2, otpNode("b", 2)))
	r.Release(2, registry.ReasonClosed)
	r.Release(1, registry.ReasonClosed)
	require.Equal(t, uint32(2001), register(t, r, 3, otpNode("c", 3)))
	require.Equal(t, []string{"a"}, oldNames(r))
}

// A name that left twice is as old as the last time.
func TestRememberMovesAReturnedNameToTheEnd(t *testing.T) {
	r, clock := newRegistry(2)
	comeAndGo(t, r, clock, 3)
	register(t, r, 1, otpNode(numbered(0), 1))
	r.Release(1, registry.ReasonClosed)
	require.Equal(t, []string{numbered(1), numbered(2), numbered(0)}, oldNames(r))
	require.Equal(t, uint32(2002), register(t, r, 1, otpNode("new", 1)))
}

// A taken-over record tells a creation by its new node's highest version.
func TestRememberTakeOverByHighest(t *testing.T) {
	r, clock := newRegistry(-1)
	comeAndGo(t, r, clock, 1)
	n := otpNode("new", 1)
	n.Highest = 5
	require.Equal(t, uint32(1), register(t, r, 1, n)) // 2001 mod 3 + 1
	require.Equal(t, uint32(2001), r.Snapshot().Nodes[0].Counter)
}

func TestRememberRefusalTakesNothingOver(t *testing.T) {
	r, clock := newRegistry(-1)
	comeAndGo(t, r, clock, 1)
	requireRefused(t, r, 1, otpNode("\xff", 1), registry.RefusedNameUTF8)
	require.Equal(t, []string{numbered(0)}, oldNames(r))
}

// TestRememberBeyond: the names of very many nodes are not kept for good: of those that
// are too many the oldest are forgotten.
func TestRememberBeyond(t *testing.T) {
	const remember, more = 5, 7
	r, clock := newRegistry(remember)
	comeAndGo(t, r, clock, remember+registry.RememberBeyond+more)
	require.Equal(t, numberedFrom(more, remember+registry.RememberBeyond+more), oldNames(r))
	require.Equal(t, remember+registry.RememberBeyond, r.Stats().Remembered)
	require.NoError(t, r.Verify())

	// One that is forgotten was never seen; that is, it takes over the oldest record.
	require.Equal(t, uint32(2001+more), register(t, r, 1, otpNode(numbered(0), 1)))
	require.Equal(t, remember+registry.RememberBeyond-1, r.Stats().Remembered)
	require.NoError(t, r.Verify())
}

// TestRememberAll: the greatest number there is forgets nobody.
func TestRememberAll(t *testing.T) {
	r, clock := newRegistry(math.MaxInt)
	comeAndGo(t, r, clock, 7)
	require.Equal(t, numberedFrom(0, 7), oldNames(r))
}

// TestMapsAreMadeAnew: when a quarter is left of 4096 names or more, and not before; of a
// registry that was restored, too.
func TestMapsAreMadeAnew(t *testing.T) {
	for nodes, anew := range map[int]bool{4095: false, 4096: true, 5000: true} {
		first, clock := newRegistry(-1)
		for i := range nodes {
			register(t, first, registry.Owner(i+1), otpNode(numbered(i), 1))
		}
		restored := registry.New(registry.Config{Now: clock.now, Remember: -1})
		require.NoError(t, restored.Restore(first.Snapshot()))
		for _, r := range []*registry.Registry{first, restored} {
			require.Equal(t, nodes, r.Most())
			for i := range nodes {
				r.Release(registry.Owner(i+1), registry.ReasonClosed)
				if i+1 < nodes*3/4 {
					require.Equal(t, nodes, r.Most())
				}
			}
			if anew {
				require.Less(t, r.Most(), nodes)
			} else {
				require.Equal(t, nodes, r.Most())
			}
			require.Len(t, oldNames(r), registry.RememberBeyond)
			require.NoError(t, r.Verify())
		}
	}
}

// TestMemoryComesBack: after very many nodes have gone nearly nothing is kept for them.
func TestMemoryComesBack(t *testing.T) {
	const nodes = 100_000
	r, _ := newRegistry(0)
	register(t, r, nodes+1, otpNode("stays", 1))
	inUse := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	empty := inUse()
	for i := range nodes {
		register(t, r, registry.Owner(i+1), otpNode(numbered(i), 1))
	}
	full := inUse() - empty
	for i := range nodes {
		r.Release(registry.Owner(i+1), registry.ReasonClosed)
	}
	left := inUse() - empty
	t.Logf("%d bytes for each of %d nodes; %d KiB when they have gone", full/nodes, nodes, left/1024)
	require.Less(t, left, full/20)
	_, found := r.Lookup([]byte("stays"))
	require.True(t, found)
	require.NoError(t, r.Verify())
}
