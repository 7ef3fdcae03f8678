package testbed

import (
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
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

// TestFreePortIsFree: a port that was found free can be used at once, though this program
// starts others all the time, each of which has its files for a moment.
func TestFreePortIsFree(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: nothing keeps a program that is being started from having the files of this one; run it on Linux")
	}
	var done atomic.Bool
	var wg sync.WaitGroup
	defer wg.Wait()
	defer done.Store(true)
	for range 4 {
		wg.Go(func() {
			for !done.Load() {
				if err := exec.Command("true").Run(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 300 {
		port, err := FreePort()
		require.NoError(t, err)
		require.NoError(t, listenOnce(port))
	}
}
