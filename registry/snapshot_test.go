package registry_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

func TestSnapshotOfNothing(t *testing.T) {
	r, _ := newRegistry(0)
	require.Equal(t, registry.Snapshot{Nodes: []registry.Entry{}, Old: []registry.Entry{}}, r.Snapshot())
}

func TestSnapshot(t *testing.T) {
	r, clock := newRegistry(0)
	a := wire.Node{Name: "a", Port: 1, Type: 3, Protocol: 4, Highest: 5, Lowest: 2, Extra: "of a"}
	b := wire.Node{Name: "b", Port: 2, Type: 77, Highest: 6, Lowest: 5, Extra: "of b"}
	c := wire.Node{Name: "c", Port: 3, Type: 72, Highest: 6, Lowest: 5, Extra: "of c"}

	clock.t = time.Unix(1000, 1)
	register(t, r, 11, a)
	clock.t = time.Unix(2000, 999_999_999)
	register(t, r, 12, b)
	clock.t = time.Unix(3000, 0)
	register(t, r, 13, c)
	clock.t = time.Unix(4000, 0)
	r.Release(12, registry.ReasonClosed)
	_, err := r.Register(14, a)
	require.Equal(t, registry.RefusedTaken, err)

	bWithoutExtra := b
	bWithoutExtra.Extra = ""
	old := registry.Entry{
		Node: bWithoutExtra, Owner: 12, Counter: 2001, Creation: 2001, Since: time.Unix(2000, 999_999_999),
	}
	want := registry.Snapshot{
		Seq: 5, // three registered, one unregistered, one refused
		Nodes: []registry.Entry{
			{Node: c, Owner: 13, Counter: 3001, Creation: 3001, Since: time.Unix(3000, 0)},
			{Node: a, Owner: 11, Counter: 1001, Creation: 1001%3 + 1, Since: time.Unix(1000, 1)},
		},
		Old:       []registry.Entry{old},
		LastOwner: 13, // who is refused holds nothing
	}
	taken := r.Snapshot()
	require.Equal(t, want, taken)

	// A name that comes back has all of its new owner's, and its counter.
	clock.t = time.Unix(5000, 7)
	register(t, r, 15, b)
	require.Equal(t, registry.Entry{
		Node: b, Owner: 15, Counter: 2002, Creation: 2002, Since: time.Unix(5000, 7),
	}, r.Snapshot().Nodes[0])
	require.Equal(t, want, taken, "a snapshot stays as it is")
}

// TestEntry: one name tells what a snapshot does, as long as it is registered.
func TestEntry(t *testing.T) {
	r, clock := newRegistry(0)
	clock.t = time.Unix(1000, 1)
	register(t, r, 11, wire.Node{Name: "a", Port: 1, Highest: 6, Lowest: 5, Extra: "of a"})
	join(t, r, 12, otpTransport("s", "t1", 1))
	join(t, r, 13, otpTransport("s", "t2", 2))
	nodes := r.Snapshot().Nodes
	require.Len(t, nodes, 2)
	for _, want := range nodes {
		got, registered := r.Entry(want.Node.Name)
		require.True(t, registered)
		require.Equal(t, want, got)
	}
	r.Release(11, registry.ReasonClosed)
	for _, name := range []string{"a", "A", "b", ""} {
		got, registered := r.Entry(name)
		require.False(t, registered, name)
		require.Zero(t, got)
	}
}

func TestSnapshotAfterATakeOver(t *testing.T) {
	r, clock := newRegistry(-1)
	register(t, r, 1, otpNode("old", 1))
	r.Release(1, registry.ReasonClosed)
	clock.set(2000)
	register(t, r, 2, otpNode("new", 2))
	require.Equal(t, registry.Snapshot{
		Seq: 3,
		Nodes: []registry.Entry{
			{Node: otpNode("new", 2), Owner: 2, Counter: 1001, Creation: 1001, Since: time.Unix(2000, 0)},
		},
		Old:  []registry.Entry{},
		Gone: 1001, LastOwner: 2,
	}, r.Snapshot())
}
