package registry_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
)

func TestRelease(t *testing.T) {
	r, _ := newRegistry(0)
	register(t, r, 1, otpNode("a", 1))
	register(t, r, 2, otpNode("b", 2))

	r.Release(1, registry.ReasonClosed)
	require.Equal(t, []string{"b"}, nodeNames(r))
	require.Equal(t, []string{"a"}, oldNames(r))

	before := r.Snapshot()
	r.Release(1, registry.ReasonClosed) // twice
	r.Release(3, registry.ReasonClosed) // unknown
	r.Release(0, registry.ReasonClosed)
	require.Equal(t, before, r.Snapshot())
	require.NoError(t, r.Verify())
}

func TestReleaseOfAnOwnerOfSeveral(t *testing.T) {
	r, _ := newRegistry(0)
	register(t, r, 1, otpNode("a", 1))
	register(t, r, 2, otpNode("b", 2))
	register(t, r, 1, otpNode("c", 3))
	register(t, r, 2, otpNode("d", 4))
	register(t, r, 1, otpNode("e", 5))

	r.Release(1, registry.ReasonClosed)
	require.Equal(t, []string{"d", "b"}, nodeNames(r))
	require.ElementsMatch(t, []string{"a", "c", "e"}, oldNames(r))
	require.NoError(t, r.Verify())

	// Names that were of one owner may come back with another.
	register(t, r, 2, otpNode("c", 3))
	register(t, r, 3, otpNode("a", 1))
	r.Release(2, registry.ReasonClosed)
	require.Equal(t, []string{"a"}, nodeNames(r))
	require.NoError(t, r.Verify())
}

// An owner is a number: 0 is one, too, and one that went may come again.
func TestReleaseOfOwnerZero(t *testing.T) {
	r, _ := newRegistry(0)
	for range 2 {
		register(t, r, 0, otpNode("a", 1))
		holder, held := r.Holder([]byte("a"))
		require.True(t, held)
		require.Zero(t, holder)
		r.Release(0, registry.ReasonClosed)
		require.Zero(t, r.Len())
	}
	require.NoError(t, r.Verify())
}

func TestUnregister(t *testing.T) {
	r, _ := newRegistry(0)
	register(t, r, 1, otpNode("a", 1))
	register(t, r, 2, otpNode("b", 2))

	require.Nil(t, r.Unregister([]byte("x"), registry.ReasonStopped), "unknown")
	require.Equal(t, []registry.Owner{1}, r.Unregister([]byte("a"), registry.ReasonStopped))
	require.Equal(t, []string{"b"}, nodeNames(r))
	require.Equal(t, []string{"a"}, oldNames(r))

	before := r.Snapshot()
	require.Nil(t, r.Unregister([]byte("a"), registry.ReasonStopped), "remembered")
	require.Nil(t, r.Unregister(nil, registry.ReasonStopped), "the empty name")
	r.Release(1, registry.ReasonClosed) // its connection closes now
	require.Equal(t, before, r.Snapshot())

	register(t, r, 3, otpNode("a", 3))
	r.Release(1, registry.ReasonClosed)
	requireNode(t, r, 3, otpNode("a", 3))
	require.NoError(t, r.Verify())
}

// permutations gives every order of 0 to n-1.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var all [][]int
	for _, p := range permutations(n - 1) {
		for at := range n {
			q := append([]int{}, p[:at]...)
			q = append(q, n-1)
			all = append(all, append(q, p[at:]...))
		}
	}
	return all
}

// One owner has four names, which are stopped in every order; with each number
// of them stopped the owner's end ends the rest.
func TestUnregisterFromAnOwnerOfSeveral(t *testing.T) {
	orders := permutations(4)
	require.Len(t, orders, 24)
	for _, order := range orders {
		for stops := range len(order) + 1 {
			r, _ := newRegistry(0)
			register(t, r, 2, otpNode("another", 9))
			for i := range order {
				register(t, r, 1, otpNode(numbered(i), uint16(i)))
			}
			stopped := []string{}
			for _, i := range order[:stops] {
				require.Equal(t, []registry.Owner{1}, r.Unregister([]byte(numbered(i)), registry.ReasonStopped))
				require.NoError(t, r.Verify())
				stopped = append(stopped, numbered(i))
				require.Equal(t, stopped, oldNames(r))
			}
			for _, i := range order[stops:] {
				requireNode(t, r, 1, otpNode(numbered(i), uint16(i)))
			}
			r.Release(1, registry.ReasonClosed)
			require.NoError(t, r.Verify())
			require.Equal(t, []string{"another"}, nodeNames(r))
			require.ElementsMatch(t, numberedFrom(0, len(order)), oldNames(r))
		}
	}
}
