package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestResume: a kept session that was not held goes on as if it had been.
func TestResume(t *testing.T) {
	for _, holds := range []bool{true, false} {
		s := newSim()
		_, err := s.daemon.Registry.Register(7, wire.Node{Name: "foo", Highest: 6})
		require.NoError(t, err)
		c := s.daemon.Resume(7, holds)
		require.True(t, c.Kept())
		require.Equal(t, holds, c.Holds())
		require.Equal(t, registry.Owner(7), c.Owner())
		require.Zero(t, c.Deadline())
		res := c.Feed(s.now, []byte("x"), nil)
		require.Equal(t, session.Close, res.Verdict)
		require.ErrorIs(t, res.Err, session.ErrData)
		require.True(t, c.Ended())
		require.Equal(t, holds, s.daemon.Registry.Len() == 0, "what it does not hold it does not release")
	}
}
