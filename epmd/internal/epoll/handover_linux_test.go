package epoll

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/internal/engine"
)

// TestResumeOfEnded: an engine that ends takes nothing over, so that the other server goes
// on.
func TestResumeOfEnded(t *testing.T) {
	inLoop(t, newConfig(), func(l *onLoop) {
		l.stop(engine.ErrClosed)
		commit := func() error {
			require.Fail(l, "the other server is told to end")
			return nil
		}
		require.ErrorIs(l, l.resumeInLoop(nil, nil, new(engine.Held), commit), engine.ErrClosed)
	})
}
