package epoll

import (
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
	for range 3 {
		s.free(s.take())
		require.Same(t, spare, s.chunks[0].at)
	}
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
