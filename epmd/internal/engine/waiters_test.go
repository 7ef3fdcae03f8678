package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// woken are waiters, and who of them was woken.
type woken struct {
	*Waiters
	woken []registry.Owner
}

func (w *woken) join(name string, o registry.Owner) {
	w.Join([]byte(name), o, func() { w.woken = append(w.woken, o) })
}

func (w *woken) tell(k registry.EventKind, name string) {
	w.Tell(registry.Event{Kind: k, Node: wire.Node{Name: name}})
}

// requireWoken says who was woken since it was asked last.
func (w *woken) requireWoken(t *testing.T, want ...registry.Owner) {
	t.Helper()
	require.Equal(t, want, w.woken)
	w.woken = nil
}

// TestWaiters: each is woken when it comes, the first of a name also when a registration of the
// name ends, and when the one before it leaves; nobody else is.
func TestWaiters(t *testing.T) {
	w := &woken{Waiters: NewWaiters()}
	w.tell(registry.Unregistered, "foo")
	w.join("foo", 1)
	w.requireWoken(t, 1)
	w.join("foo", 2)
	w.join("foo", 3)
	w.requireWoken(t, 2, 3)
	w.join("bar", 4)
	w.requireWoken(t, 4)
	require.Equal(t, 3, w.Waiting([]byte("foo")))
	require.Equal(t, 1, w.Waiting([]byte("bar")))

	w.tell(registry.Registered, "foo")
	w.tell(registry.Refused, "foo")
	w.tell(registry.Unregistered, "baz")
	w.requireWoken(t)
	w.tell(registry.Unregistered, "foo")
	w.requireWoken(t, 1)

	require.True(t, w.First(1))
	require.False(t, w.First(2))
	require.False(t, w.First(9))
	w.Leave(2)
	w.requireWoken(t)
	w.Leave(1)
	w.requireWoken(t, 3)
	require.True(t, w.First(3))
	w.Leave(1)
	w.requireWoken(t)
	w.Leave(3)
	w.requireWoken(t)
	require.Zero(t, w.Waiting([]byte("foo")))
	require.Equal(t, 1, w.Waiting([]byte("bar")))
	w.Leave(4)
	require.Empty(t, w.names)
	require.Empty(t, w.at)
}

// TestNoWaiters: a daemon without one has nobody wait.
func TestNoWaiters(t *testing.T) {
	var none *Waiters
	none.Tell(registry.Event{Kind: registry.Unregistered})
}
