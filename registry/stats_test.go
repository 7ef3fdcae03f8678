package registry_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
)

// TestStats: each registration is counted once when it begins and once, by its reason,
// when it ends; what is refused or unknown is not.
func TestStats(t *testing.T) {
	r, _ := newRegistry(10)
	require.Zero(t, r.Stats())
	for i, name := range []string{"a", "b", "c", "d"} {
		register(t, r, registry.Owner(i+1), otpNode(name, 1))
	}
	register(t, r, 4, otpNode("e", 1))
	requireRefused(t, r, 9, otpNode("a", 1), registry.RefusedTaken)
	r.Release(1, registry.ReasonClosed)
	r.Release(1, registry.ReasonClosed)
	require.NotEmpty(t, r.Unregister([]byte("b"), registry.ReasonStopped))
	require.Empty(t, r.Unregister([]byte("b"), registry.ReasonStopped))
	r.Release(3, 200)
	register(t, r, 6, otpNode("f", 1))
	r.Release(6, registry.NumReasons)
	r.Release(4, registry.ReasonShutdown)
	register(t, r, 5, otpNode("a", 1))

	want := registry.Stats{Seq: 14, Nodes: 1, Remembered: 5, Registrations: 7}
	want.Ended[registry.ReasonClosed] = 1
	want.Ended[registry.ReasonStopped] = 1
	want.Ended[registry.ReasonShutdown] = 2
	want.Ended[0] = 2
	require.Equal(t, want, r.Stats())
}
