package conformance

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFreePort: a port is not given twice in a short time.
func TestFreePort(t *testing.T) {
	seen := make(map[uint16]bool)
	for range portsOfBlock + 50 {
		port, err := FreePort()
		require.NoError(t, err)
		require.GreaterOrEqual(t, port, uint16(lowestPort))
		require.False(t, seen[port], "port %d", port)
		seen[port] = true
	}
}
