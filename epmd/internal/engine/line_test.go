package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// inLine is a Line, and who was woken in it.
type inLine struct {
	*Line
	woken []registry.Owner
}

func (l *inLine) join(name string, o registry.Owner) {
	l.Join([]byte(name), o, func() { l.woken = append(l.woken, o) })
}

func (l *inLine) tell(k registry.EventKind, name string) {
	l.Tell(registry.Event{Kind: k, Node: wire.Node{Name: name}})
}

// requireWoken says who was woken since it was asked last.
func (l *inLine) requireWoken(t *testing.T, want ...registry.Owner) {
	t.Helper()
	require.Equal(t, want, l.woken)
	l.woken = nil
}

// TestLine: the first of a name is woken when it comes, when a registration of the name
// ends, and when the one before it leaves; nobody else is.
func TestLine(t *testing.T) {
	l := &inLine{Line: NewLine()}
	l.tell(registry.Unregistered, "foo")
	l.join("foo", 1)
	l.requireWoken(t, 1)
	l.join("foo", 2)
	l.join("foo", 3)
	l.requireWoken(t)
	l.join("bar", 4)
	l.requireWoken(t, 4)
	require.Equal(t, 3, l.Waiting([]byte("foo")))
	require.Equal(t, 1, l.Waiting([]byte("bar")))

	l.tell(registry.Registered, "foo")
	l.tell(registry.Refused, "foo")
	l.tell(registry.Unregistered, "baz")
	l.requireWoken(t)
	l.tell(registry.Unregistered, "foo")
	l.requireWoken(t, 1)

	require.True(t, l.First(1))
	require.False(t, l.First(2))
	require.False(t, l.First(9))
	l.Leave(2)
	l.requireWoken(t)
	l.Leave(1)
	l.requireWoken(t, 3)
	require.True(t, l.First(3))
	l.Leave(1)
	l.requireWoken(t)
	l.Leave(3)
	l.requireWoken(t)
	require.Zero(t, l.Waiting([]byte("foo")))
	require.Equal(t, 1, l.Waiting([]byte("bar")))
	l.Leave(4)
	require.Empty(t, l.names)
	require.Empty(t, l.at)
}

// TestNoLine: a daemon without one has nobody wait.
func TestNoLine(t *testing.T) {
	var none *Line
	none.Tell(registry.Event{Kind: registry.Unregistered})
}
