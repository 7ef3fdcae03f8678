package epoll

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
)

// TestSlotsABA: an owner is never given twice, and finds nobody once it is gone,
// whoever has its slot, and even if the slot was out of memory meanwhile.
func TestSlotsABA(t *testing.T) {
	var s slots
	seen := make(map[registry.Owner]bool)
	for _, n := range []int{1, 1, 3 * chunkSize, 2, 2*chunkSize + 1, chunkSize, 4 * chunkSize} {
		var owners []registry.Owner
		for range n {
			c := s.take()
			require.False(t, seen[c.Owner], "owner %d", c.Owner)
			seen[c.Owner] = true
			require.NotZero(t, c.Owner&slotMask)
			owners = append(owners, c.Owner)
		}
		count := 0
		s.all(func(*socket) { count++ })
		require.Equal(t, n, count)
		for _, o := range owners {
			require.Equal(t, o, s.find(o).Owner)
			s.free(s.find(o))
			require.Nil(t, s.find(o))
		}
		for o := range seen {
			require.Nil(t, s.find(o))
		}
		inMemory := 0
		for _, k := range s.chunks {
			if k.at != nil {
				inMemory++
			}
		}
		require.LessOrEqual(t, inMemory, 1, "memory is given back")
	}
	require.Nil(t, s.find(0))
	require.Nil(t, s.find(slotMask))
}

// TestSlotsReuse: the lowest chunk with room is used first, so that the higher
// ones can be let go of.
func TestSlotsReuse(t *testing.T) {
	var s slots
	var all []*socket
	for range 2*chunkSize + 1 {
		all = append(all, s.take())
	}
	low := all[5].Owner & slotMask
	s.free(all[5])
	require.Equal(t, low, s.take().Owner&slotMask)
	require.Len(t, s.chunks, 3, "no more than were needed at once")
}

// TestSlotsSpare: a chunk that empties stays in memory, however often it does.
func TestSlotsSpare(t *testing.T) {
	var s slots
	s.free(s.take())
	spare := s.chunks[0].at
	require.NotNil(t, spare)
	for range 3 {
		s.free(s.take())
		require.Same(t, spare, s.chunks[0].at)
	}
}

// TestSlotsOneSpare: no second chunk without connections stays in memory.
func TestSlotsOneSpare(t *testing.T) {
	var s slots
	var all []*socket
	for range 2*chunkSize + 1 {
		all = append(all, s.take())
	}
	for _, c := range all[chunkSize : 2*chunkSize] {
		s.free(c)
	}
	require.NotNil(t, s.chunks[1].at)
	s.free(all[0])
	s.take() // of the first chunk, so the spare one stays that
	s.free(all[2*chunkSize])
	require.Nil(t, s.chunks[2].at)
}

// TestSlotsEnd: there are only so many.
func TestSlotsEnd(t *testing.T) {
	s := slots{chunks: make([]chunk, slotMask/chunkSize)}
	for i := range s.chunks {
		s.chunks[i].used = chunkSize
	}
	require.Nil(t, s.take())
}

// TestSlotsFind: an owner of another generation, or of a slot beyond, is nobody.
func TestSlotsFind(t *testing.T) {
	var s slots
	o := s.take().Owner
	require.Nil(t, s.find(o+1<<slotBits))
	s.free(s.find(o))
	require.Nil(t, s.find(o+1<<slotBits))
	require.Nil(t, s.find(chunkSize+1))
}

// TestSlotsRestore: whoever was there is found in a server that takes over, nobody else is,
// and the owners that it gives are new.
func TestSlotsRestore(t *testing.T) {
	var old slots
	require.Zero(t, old.last())
	require.True(t, old.restore(nil, 0))
	require.Zero(t, old.first, "nothing was left, so that it begins as any other does")
	given := make(map[registry.Owner]bool)
	alive := make(map[registry.Owner]bool)
	take := func(s *slots, n int) {
		for range n {
			o := s.take().Owner
			require.False(t, given[o], "owner %d", o)
			given[o], alive[o] = true, true
			require.GreaterOrEqual(t, s.last(), o)
		}
	}
	free := func(s *slots, but registry.Owner) {
		for o := range alive {
			if o&slotMask%but != 1 {
				s.free(s.find(o))
				delete(alive, o)
			}
		}
	}
	from := &old
	for range 3 {
		take(from, 5)
		free(from, 3)
		take(from, 2*chunkSize)
		free(from, 2*chunkSize) // all but the first of a chunk
		next := new(slots)
		require.True(t, next.restore(slices.Collect(maps.Keys(alive)), from.last()))
		for o := range given {
			c := next.find(o)
			require.Equal(t, alive[o], c != nil)
			require.True(t, c == nil || c.Owner == o)
		}
		count := 0
		next.all(func(*socket) { count++ })
		require.Equal(t, len(alive), count)
		from = next
	}
	var none slots
	require.True(t, none.restore(nil, from.last()))
	take(&none, 2)
	var one slots
	require.True(t, one.restore([]registry.Owner{7<<slotBits | 1}, 0))
	require.Greater(t, one.take().Owner, registry.Owner(8<<slotBits))
}

// TestSlotsCannotBe: numbers that no connection can have had are refused, and change
// nothing; the highest slot is one.
func TestSlotsCannotBe(t *testing.T) {
	const highest = slotMask / chunkSize * chunkSize
	var s slots
	for _, owners := range [][]registry.Owner{{1 << slotBits}, {highest + 1}, {1, 1 << slotBits, 2}, {1, 1<<slotBits | 1}} {
		require.False(t, s.restore(owners, 0))
		require.Equal(t, slots{}, s)
	}
	require.True(t, s.restore([]registry.Owner{highest}, 0))
	require.NotNil(t, s.find(highest))
}

// TestSlotsLast: last is below no owner, be its connection here or gone, and its chunk in
// memory or not.
func TestSlotsLast(t *testing.T) {
	var s slots
	full := []*socket{s.take()}
	require.GreaterOrEqual(t, s.last(), full[0].Owner)
	for range chunkSize - 1 {
		full = append(full, s.take())
	}
	for range 4 {
		s.free(s.take())
	}
	newest := s.take().Owner
	for _, c := range full {
		s.free(c)
	}
	s.free(s.find(newest))
	require.Nil(t, s.chunks[1].at)
	require.GreaterOrEqual(t, s.last(), newest)
}

// TestSlotsOfLocals: no connection gets the number of a registration without one.
func TestSlotsOfLocals(t *testing.T) {
	var s slots
	require.False(t, s.restore([]registry.Owner{1, registry.LocalOwners | 2}, 0))
	last := registry.LocalOwners - slotMask + 1
	require.True(t, s.restore([]registry.Owner{1, last}, last))
	require.Less(t, s.take().Owner, registry.LocalOwners)
	s.free(s.find(last))
	require.Less(t, s.take().Owner, registry.LocalOwners)
}
