package registry_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestTry: it registers and refuses as the others do, and tells of all but a taken name.
func TestTry(t *testing.T) {
	r := registry.New(registry.Config{})
	events, _ := r.Subscribe(10)
	defer events.Close()
	two := wire.Node{Name: "two", Highest: 6}
	three := wire.Node{Name: "three", Transport: "tls", Highest: 6}
	for transport, n := range map[bool]wire.Node{false: two, true: three} {
		creation, err := r.Try(1, n, transport)
		require.NoError(t, err)
		require.NotZero(t, creation)
		told := <-events.C
		require.Equal(t, registry.Registered, told.Kind)
		require.Equal(t, n.Transport, told.Node.Transport)
		_, err = r.Try(2, n, transport)
		require.Equal(t, registry.RefusedTaken, err)
		require.Empty(t, events.C)

		n.Name = "\xff"
		_, err = r.Try(2, n, transport)
		require.Equal(t, registry.RefusedNameUTF8, err)
		require.Equal(t, registry.Refused, (<-events.C).Kind)
	}
	_, err := r.Register(2, two)
	require.Equal(t, registry.RefusedTaken, err)
	require.Equal(t, registry.Refused, (<-events.C).Kind)
	_, err = r.RegisterTransport(2, three)
	require.Equal(t, registry.RefusedTaken, err)
	require.Equal(t, registry.Refused, (<-events.C).Kind)
}
