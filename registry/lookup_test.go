package registry_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

func requireNode(t *testing.T, r *registry.Registry, o registry.Owner, n wire.Node) {
	t.Helper()
	got, found := r.Lookup([]byte(n.Name))
	require.True(t, found)
	require.Equal(t, n, got)
	holder, held := r.Holder([]byte(n.Name))
	require.True(t, held)
	require.Equal(t, o, holder)
}

func requireNoNode(t *testing.T, r *registry.Registry, name string) {
	t.Helper()
	got, found := r.Lookup([]byte(name))
	require.False(t, found)
	require.Zero(t, got)
	holder, held := r.Holder([]byte(name))
	require.False(t, held)
	require.Zero(t, holder)
}

func TestLookup(t *testing.T) {
	r, _ := newRegistry(0)
	first := wire.Node{
		Name: "a", Port: 0x0102, Type: 3, Protocol: 4, Highest: 0x0506, Lowest: 0x0708, Extra: "\x00\xff\n",
	}
	second := otpNode("a", 2)

	requireNoNode(t, r, "a")
	register(t, r, 1, first)
	requireNode(t, r, 1, first)
	_, err := r.Register(2, second)
	require.Equal(t, registry.RefusedTaken, err)
	requireNode(t, r, 1, first)
	r.Release(1, registry.ReasonClosed)
	requireNoNode(t, r, "a")
	register(t, r, 2, second)
	requireNode(t, r, 2, second)
	r.Unregister([]byte("a"), registry.ReasonStopped)
	requireNoNode(t, r, "a")
}

func TestLookupComparesByteForByte(t *testing.T) {
	r, _ := newRegistry(0)
	// The two forms of é are one character to a reader, not here.
	names := []string{"", "a", "A", "a ", " a", "a\n", "aa", "\u00e9", "e\u0301"}
	for i, name := range names {
		for _, later := range names[i:] {
			requireNoNode(t, r, later)
		}
		register(t, r, registry.Owner(i), otpNode(name, uint16(i)))
	}
	for i, name := range names {
		requireNode(t, r, registry.Owner(i), otpNode(name, uint16(i)))
	}
	require.Equal(t, len(names), r.Len())
	for _, name := range []string{"b", "a\x00", "é\x00", "\xff", "e"} {
		requireNoNode(t, r, name)
	}
	got, found := r.Lookup(nil)
	require.True(t, found, "the empty name is a name")
	require.Equal(t, otpNode("", 0), got)
}

// A registry of two must not find one name's node under the other's.
func TestLookupAfterATakeOver(t *testing.T) {
	r, _ := newRegistry(-1)
	register(t, r, 1, otpNode("old", 1))
	r.Release(1, registry.ReasonClosed)
	register(t, r, 2, otpNode("new", 2))
	requireNoNode(t, r, "old")
	requireNode(t, r, 2, otpNode("new", 2))
	r.Release(2, registry.ReasonClosed)
	requireNoNode(t, r, "new")
}

func TestLen(t *testing.T) {
	r, _ := newRegistry(0)
	require.Equal(t, 0, r.Len())
	for i := range 5 {
		register(t, r, registry.Owner(i), otpNode(numbered(i), 1))
		require.Equal(t, i+1, r.Len())
	}
	_, _ = r.Register(9, otpNode(numbered(0), 1))
	require.Equal(t, 5, r.Len())
	for i := range 5 {
		r.Release(registry.Owner(i), registry.ReasonClosed)
		require.Equal(t, 4-i, r.Len())
	}
	require.Len(t, r.Snapshot().Old, 5)
}
