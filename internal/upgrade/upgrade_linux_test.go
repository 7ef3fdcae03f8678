package upgrade_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/testbed"
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

// start starts a daemon. What it and its successors say goes to a file.
func start(t *testing.T, args ...string) (d *testbed.Process, log string) {
	t.Helper()
	said, err := os.Create(t.TempDir() + "/log")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, said.Close()) })
	d, err = testbed.Start(t.Context(), func(port uint16) *exec.Cmd {
		cmd := testbed.Command(program, append([]string{"-port", strconv.Itoa(int(port))}, args...)...)
		cmd.Stdout, cmd.Stderr = said, said
		return cmd
	})
	require.NoError(t, err)
	t.Cleanup(d.Stop)
	return d, said.Name()
}

// call runs a command of the program.
func call(t *testing.T, port uint16, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := testbed.Run(ctx, testbed.Command(program, "-port", strconv.Itoa(int(port)), command))
	require.NoError(t, err)
	require.Zero(t, r.Status, "%+v", r)
	return r.Stdout
}

// upgrade has the daemon replaced, and gives the number of the next one.
func upgrade(t *testing.T, port uint16) (pid int) {
	t.Helper()
	_, err := fmt.Sscanf(call(t, port, "-upgrade"), "Upgraded, now process %d\n", &pid)
	require.NoError(t, err)
	return pid
}

// requireEnd waits for an end in good order.
func requireEnd(t *testing.T, d *testbed.Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	status, err := d.Exit(ctx)
	require.NoError(t, err)
	require.Zero(t, status)
}

// TestUpgrades replaces the daemon 20 times in a row, under load.
func TestUpgrades(t *testing.T) {
	d, log := start(t, "-state", t.TempDir()+"/state")
	port, pid := d.Port, d.PID()
	t.Cleanup(func() { kill(pid) })
	c := gather(t, port)
	const upgrades = 20
	open, begun, longest := 0, time.Now(), time.Duration(0)
	for i := range upgrades {
		before, at := pid, time.Now()
		asked := c.asked.Load()
		pid = upgrade(t, port)
		longest = max(longest, time.Since(at))
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
	requireEnd(t, d)
	c.finish(t)
	require.Zero(t, c.cut.Load())
	said, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Empty(t, string(said))
}

// TestUpgradeBySignal: SIGUSR2 does the same.
func TestUpgradeBySignal(t *testing.T) {
	d, _ := start(t)
	t.Cleanup(func() { call(t, d.Port, "-kill") }) // the second one
	require.NoError(t, d.Signal(syscall.SIGUSR2))
	requireEnd(t, d)
	require.Contains(t, call(t, d.Port, "-names"), "up and running")
}
