//go:build unix

package sockets

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWaits: a connection that nobody has accepted yet is seen, and one that was
// accepted is not.
func TestWaits(t *testing.T) {
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		ln, err := net.Listen(network, address)
		require.NoError(t, err)
		require.False(t, HasWaiting(ln))
		c, err := net.Dial(network, ln.Addr().String())
		require.NoError(t, err)
		require.Eventually(t, func() bool { return HasWaiting(ln) }, 20*time.Second, time.Millisecond)
		accepted, err := ln.Accept()
		require.NoError(t, err)
		require.False(t, HasWaiting(ln))
		require.NoError(t, accepted.Close())
		require.NoError(t, c.Close())
		require.NoError(t, ln.Close())
		require.False(t, HasWaiting(ln))
	}
	require.False(t, HasWaiting(struct{ net.Listener }{}), "of others it is not known")
}
