package epmd_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
)

// TestHooksOfHandoff: ConnState may call and start the same when its connection has been
// handed over.
func TestHooksOfHandoff(t *testing.T) {
	hook := hookCase{"ConnState handed over", onState(epmd.StateHandedOver), func(t *testing.T, r *running) {
		a, b := pair(t)
		next := &epmd.Server{Engine: epmd.EngineEpoll}
		resumed, handed := make(chan error, 1), make(chan error, 1)
		c := ctx(t)
		go func() { resumed <- next.Resume(c, b) }()
		go func() { handed <- r.Handoff(c, a) }()
		t.Cleanup(func() {
			require.NoError(t, next.Close())
			if !t.Failed() { // else it may never return
				require.NoError(t, <-handed)
				require.NoError(t, <-resumed)
			}
		})
	}}
	t.Run("call", func(t *testing.T) { testMayCall(t, epmd.EngineEpoll, hook) })
	t.Run("start", func(t *testing.T) { testMayStart(t, epmd.EngineEpoll, hook) })
}
