package upgrade_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/otptest"
)

// TestUpgradeOfMany hands 100,000 registered connections over, or as many as the limit
// of open files lets.
func TestUpgradeOfMany(t *testing.T) {
	otptest.Heavy(t)
	const most, others = 100_000, 1000
	limit, err := rig.RaiseFiles(most + others)
	require.NoError(t, err)
	many := min(most, int(limit)-others)
	if many < most {
		t.Logf("only %d files may be open, so it is %d; raise the hard limit to %d for the rest", limit, many, most+others)
	}
	first, _ := start(t)
	port, pid := first.Port, first.PID()
	t.Cleanup(func() { kill(pid) })
	d := rig.Dialer{Port: port, Block: 5, Patience: patience}
	conns := make([]*rig.Conn, many)
	for i := range conns {
		conns[i], err = d.Register(nodeName(i), uint16(i%60000+1))
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		for _, c := range conns {
			c.Close()
		}
	})
	for range 2 {
		begun := time.Now()
		pid = upgrade(t, port)
		t.Logf("%d connections in %v", many, time.Since(begun))
		list, err := d.List()
		require.NoError(t, err)
		require.Len(t, list, many)
		for i, c := range conns {
			require.True(t, c.Open(), i)
		}
	}
	requireEnd(t, first)
}
