package testbed

import (
	"net"
	"os/exec"
	"strconv"
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
	if _, err := exec.LookPath("true"); err != nil {
		t.Skip("SKIPPED: this system lacks the program true, which is started meanwhile")
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
		ln, err := net.Listen("tcp", ":"+strconv.Itoa(int(port)))
		require.NoError(t, err)
		require.NoError(t, ln.Close())
	}
}

// TestIsFree: a listener at any address takes a port, and a connection that has ended does
// not.
func TestIsFree(t *testing.T) {
	for _, host := range []string{"", "127.0.0.1", "127.0.0.9", "::1"} {
		port, err := FreePort()
		require.NoError(t, err)
		ln, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(int(port))))
		if err != nil && host == "::1" {
			continue // a machine without IPv6
		}
		require.NoError(t, err)
		require.False(t, isFree(port), host)
		c, err := net.Dial("tcp", ln.Addr().String())
		require.NoError(t, err)
		theirs, err := ln.Accept()
		require.NoError(t, err)
		require.NoError(t, ln.Close())
		require.NoError(t, theirs.Close()) // whose address is kept for a while
		require.NoError(t, c.Close())
		require.True(t, isFree(port), host)
	}
}
