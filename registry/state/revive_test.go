package state_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/registry/state"
)

// TestRevive: whatever was given after the save, nobody gets it again.
func TestRevive(t *testing.T) {
	for _, given := range []int{0, 1, 2, 3, 1000, state.Margin - 1} { // after the save
		for _, later := range []time.Duration{0, time.Second, 2 * time.Second, time.Hour, 1000 * time.Hour} {
			for _, highest := range []uint16{5, 6} {
				now := time.Unix(1_700_000_000, 0)
				r := registry.New(registry.Config{Now: func() time.Time { return now }})
				old := func(name string) uint32 {
					n := node(name)
					n.Highest = highest
					c, err := r.Register(1, n)
					require.NoError(t, err)
					return c
				}
				old("gone")
				r.Release(1, registry.ReasonClosed)
				old("there")
				s := state.State{Names: r.Snapshot()}
				last := map[string]uint32{}
				for range given + 1 {
					r.Release(1, registry.ReasonClosed)
					for _, name := range []string{"there", "new"} {
						last[name] = old(name)
					}
					if given > 1000 {
						break // it is enough to reckon
					}
				}
				if given > 1000 {
					last["there"] += uint32(given)
					last["new"] += uint32(given)
				}
				// A daemon begins, gives the new name one more, ends before it has saved that, ...
				now = now.Add(later)
				revived := state.Revive(s, now)
				require.Empty(t, revived.Nodes)
				r = registry.New(registry.Config{Now: func() time.Time { return now }})
				require.NoError(t, r.Restore(revived))
				for name, c := range last {
					next := old(name)
					if highest == 6 {
						require.Greater(t, next, c, name)
					}
					last[name] = next
				}
				// ... and another begins.
				r = registry.New(registry.Config{Now: func() time.Time { return now }})
				require.NoError(t, r.Restore(state.Revive(state.State{Names: revived}, now)))
				for name, c := range last {
					if next := old(name); highest == 6 {
						require.Greater(t, next, c, name)
					}
				}
			}
		}
	}
}

// TestReviveOld: old nodes have three creations; after a quiet end the next is
// another one.
func TestReviveOld(t *testing.T) {
	for _, final := range []bool{true, false} {
		for i := range uint32(10) {
			for _, later := range []int64{0, 1, 2, 3, 4, 1 << 20} {
				s := state.State{Final: final, Names: registry.Snapshot{Nodes: []registry.Entry{{Node: node("a"), Counter: 1000 + i}}}}
				c := state.Revive(s, time.Unix(1000+later, 0)).Old[0].Counter
				require.GreaterOrEqual(t, c, uint32(1000+later))
				require.Equal(t, i%3, (c-1000)%3, "so that the next is another of the three")
			}
		}
	}
}

// TestReviveGivesNothingAgain: in whatever order names come, end, are forgotten and come
// again, and daemons save, end in good order or suddenly, and begin: no name gets a
// creation again.
func TestReviveGivesNothingAgain(t *testing.T) {
	seed := uint64(property.Seed(t))
	rnd := rand.New(rand.NewPCG(seed, 5))
	met := map[string]int{}
	for range 2000 {
		now := time.Unix(1_700_000_000, 0)
		config := registry.Config{Now: func() time.Time { return now }, Remember: 1 + rnd.IntN(3)}
		begin := func(left registry.Snapshot) *registry.Registry {
			r := registry.New(config)
			require.NoError(t, r.Restore(left))
			return r
		}
		r := begin(state.Revive(state.State{Final: true}, now))
		saved := state.State{Names: r.Snapshot()}
		had := map[string]map[uint32]bool{}
		for range 60 {
			name := "n" + strconv.Itoa(rnd.IntN(9))
			switch rnd.IntN(12) {
			default: // it comes and ends
				for range 1 + rnd.IntN(5)*rnd.IntN(2) {
					c, err := r.Register(1, node(name))
					require.NoError(t, err)
					require.False(t, had[name][c], "seed %d: %s had creation %d before", seed, name, c)
					if had[name] == nil {
						had[name] = map[uint32]bool{}
					}
					had[name][c] = true
					r.Release(1, registry.ReasonClosed)
				}
			case 0:
				now = now.Add(time.Duration(rnd.IntN(3)) * time.Second)
			case 1:
				saved.Names = r.Snapshot()
			case 2: // a sudden end
				met["sudden"]++
				r = begin(state.Revive(saved, now))
				saved.Names = r.Snapshot()
			case 3:
				met["final"]++
				r = begin(state.Revive(state.State{Final: true, Names: r.Snapshot()}, now))
				saved.Names = r.Snapshot()
			case 4: // a hand-over
				r = begin(r.Snapshot())
			}
		}
		if s := r.Snapshot(); s.Gone > s.Floor {
			met["forgotten above the floor"]++
		}
	}
	for _, what := range []string{"sudden", "final", "forgotten above the floor"} {
		require.Greater(t, met[what], 100, what)
	}
}

// TestReviveOrder: those that were registered are remembered as the last that went.
func TestReviveOrder(t *testing.T) {
	s := full()
	got := state.Revive(s, s.Saved)
	var names []string
	for _, e := range got.Old {
		names = append(names, e.Node.Name)
		require.Empty(t, e.Node.Extra)
	}
	require.Equal(t, []string{"several", "gone", s.Names.Nodes[1].Node.Name, "b"}, names)
	require.Equal(t, uint32(1<<31+1), got.Floor, "that of names that were forgotten is higher")
	require.Equal(t, s.Names.LastOwner, got.LastOwner)
	require.NoError(t, registry.New(registry.Config{}).Restore(got))
}

// TestReviveHighest: where the numbers end they begin again, and nothing breaks.
func TestReviveHighest(t *testing.T) {
	s := state.State{Names: registry.Snapshot{Floor: 1<<32 - 1, Old: []registry.Entry{{Node: node("a"), Counter: 1<<32 - 1}}}}
	got := state.Revive(s, time.Unix(5, 0))
	require.EqualValues(t, state.Margin, got.Floor)
	require.EqualValues(t, state.Margin, got.Old[0].Counter)
}

// TestReviveAfterTakeOver: a name that took over the record of one which had come very
// often, after the last save, begins above what it was given then.
func TestReviveAfterTakeOver(t *testing.T) {
	const often = 3 * state.Margin
	now := time.Unix(1000, 0)
	r := registry.New(registry.Config{Now: func() time.Time { return now }, Remember: -1})
	require.NoError(t, r.Restore(registry.Snapshot{Floor: 1000, Old: []registry.Entry{{Node: node("often"), Counter: 1000 + often}}}))
	saved := state.State{Names: r.Snapshot()}
	had, err := r.Register(1, node("new"))
	require.NoError(t, err)
	require.Greater(t, had, uint32(1000+often))
	r = registry.New(registry.Config{Now: func() time.Time { return now }})
	require.NoError(t, r.Restore(state.Revive(saved, now)))
	next, err := r.Register(1, node("new"))
	require.NoError(t, err)
	require.Greater(t, next, had)
}
