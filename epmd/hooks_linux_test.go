package epmd_test

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// TestHooksOfHandoff: ConnState may call and start the same when its connection has been
// handed over.
func TestHooksOfHandoff(t *testing.T) {
	hook := hookCase{"ConnState handed over", onState(epmd.StateHandedOver), func(t *testing.T, r *running) {
		_, resp := r.register(t, "hooked")
		require.Zero(t, resp.Result)
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

// TestAdmitNodeOfHandoff: a successor asks about the requests that it answers, and about no
// registration that comes over.
func TestAdmitNodeOfHandoff(t *testing.T) {
	old := run(t, &epmd.Server{Engine: epmd.EngineEpoll})
	kept, _ := old.register(t, "kept")
	late := old.dial(t)
	packet := alive(t, "late")
	_, err := late.Write(packet[:9])
	require.NoError(t, err)
	require.Eventually(t, func() bool { return old.Stats().Unfinished == 1 }, patience, tick)
	asked := make(chan string, 10)
	now := old.succeed(t, &epmd.Server{Engine: epmd.EngineEpoll, AdmitNode: func(_ epmd.Conn, n wire.Node) error {
		asked <- n.Name
		return errors.New("nobody")
	}})
	_, err = late.Write(packet[9:])
	require.NoError(t, err)
	answer := make([]byte, 6)
	_, err = io.ReadFull(late, answer)
	require.NoError(t, err)
	require.Equal(t, "v\x01\x00\x00\x00\x63", string(answer))
	now.requireOpen(t, kept)
	require.Equal(t, []string{"kept"}, now.names())
	require.Equal(t, "late", <-asked)
	require.Empty(t, asked)
}
