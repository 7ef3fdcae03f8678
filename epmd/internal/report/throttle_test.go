package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestThrottle(t *testing.T) {
	var th throttle
	now := time.Unix(1_700_000_000, 0)
	require.True(t, th.allow(now))
	require.False(t, th.allow(now.Add(999*time.Millisecond)))
	require.True(t, th.allow(now.Add(time.Second)))
	require.False(t, th.allow(now.Add(time.Second)))
}
