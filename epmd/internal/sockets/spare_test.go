package sockets

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSpare: it can be released and reserved again, until it is closed.
func TestSpare(t *testing.T) {
	var s Spare
	require.False(t, s.Release())
	for range 2 {
		require.True(t, s.Reserve())
		require.True(t, s.Reserve())
		require.True(t, s.Release())
		require.False(t, s.Release())
	}
	require.True(t, s.Reserve())
	s.Close()
	require.False(t, s.Reserve())
	require.False(t, s.Release())
}
