package upgrade_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
)

// kill ends a daemon that this test, or a daemon of it, started.
func kill(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) } // it may have ended

// awaitEnd waits until a process that is not our child has ended.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || bytes.Contains(stat, []byte(") Z "))
	}, patience, time.Millisecond)
}

// files is how many files a process has open.
func files(t *testing.T, pid int) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	require.NoError(t, err)
	return len(entries)
}

// TestUpgrades replaces the daemon 20 times in a row, under load.
func TestUpgrades(t *testing.T) {
	port, err := conformance.FreePort()
	require.NoError(t, err)
	p := strconv.Itoa(int(port))
	cmd := exec.Command(program, "-port", p, "-state", t.TempDir()+"/state")
	log, err := os.Create(t.TempDir() + "/log") // a file, which all of them have
	require.NoError(t, err)
	cmd.Stderr = log
	require.NoError(t, cmd.Start())
	pid := cmd.Process.Pid
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { kill(pid) })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, conformance.AwaitListening(ctx, port, make(chan struct{})))

	c := gather(t, port)
	const upgrades = 20
	open, begun, longest := 0, time.Now(), time.Duration(0)
	for i := range upgrades {
		before, at := pid, time.Now()
		asked := c.asked.Load()
		out, err := exec.Command(program, "-port", p, "-upgrade").CombinedOutput()
		require.NoError(t, err, "%s", out)
		longest = max(longest, time.Since(at))
		text, ok := strings.CutPrefix(string(out), "Upgraded, now process ")
		require.True(t, ok, "%s", out)
		pid, err = strconv.Atoi(strings.TrimSpace(text))
		require.NoError(t, err)
		require.NotEqual(t, before, pid)
		awaitEnd(t, before)
		require.Eventually(t, func() bool { return c.asked.Load() > asked }, patience, time.Millisecond)
		c.require(t)
		switch n := files(t, pid); {
		case i == 0:
			open = n
		default:
			require.InDelta(t, open, n, askers+4, "no descriptor is left over")
		}
	}
	t.Logf("%d upgrades in %v, the longest %v", upgrades, time.Since(begun), longest)
	require.NoError(t, <-ended, "the first one ended in good order")
	c.finish(t)
	require.Zero(t, c.cut.Load())
	said, err := os.ReadFile(log.Name())
	require.NoError(t, err)
	require.Empty(t, string(said))
	require.NoError(t, log.Close())
}

// TestUpgradeBySignal: SIGUSR2 does the same.
func TestUpgradeBySignal(t *testing.T) {
	port, err := conformance.FreePort()
	require.NoError(t, err)
	cmd := exec.Command(program, "-port", strconv.Itoa(int(port)))
	require.NoError(t, cmd.Start())
	pid := cmd.Process.Pid
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = exec.Command(program, "-port", strconv.Itoa(int(port)), "-kill").Run() // the second one
		kill(pid)
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, conformance.AwaitListening(ctx, port, make(chan struct{})))
	require.NoError(t, cmd.Process.Signal(syscall.SIGUSR2))
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(patience):
		require.Fail(t, "it does not hand over")
	}
	out, err := exec.Command(program, "-port", strconv.Itoa(int(port)), "-names").CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(out), "up and running")
}
