package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/internal/testbed"
	"github.com/goepmd/goepmd/wire"
)

// startAsProcess1 starts a daemon that is process 1 of its own.
func startAsProcess1(t *testing.T, args ...string) *daemon {
	t.Helper()
	needRoot(t, "start a process 1")
	p, err := testbed.Start(t.Context(), func(port uint16) *exec.Cmd {
		cmd := testbed.Command(program, onPort(port, args...)...)
		cmd.SysProcAttr.Cloneflags = unix.CLONE_NEWPID
		return cmd
	})
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	return &daemon{p, int(p.Port)}
}

// childrenOf are the children of a process, those that have ended and nobody has asked for
// included.
func childrenOf(t *testing.T, pid int) []string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	require.NoError(t, err)
	return strings.Fields(string(b))
}

// TestProcess1Signals: SIGTERM and SIGINT end a process 1 with the status that a shell would
// give, and SIGHUP and SIGUSR2 change nothing, and are logged.
func TestProcess1Signals(t *testing.T) {
	t.Parallel()
	for _, end := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		d := startAsProcess1(t)
		held, _ := hold(t, d.port, "held")
		for i, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR2, syscall.SIGHUP} {
			require.NoError(t, d.Signal(s))
			require.Eventually(t, func() bool {
				return strings.Count(d.Stderr.String(), "\n") == i+1
			}, patience, time.Millisecond)
		}
		require.Equal(t, 3, strings.Count(d.Stderr.String(), "it is process 1, with which its container ends: replace the container instead"))
		found, err := d.client().Lookup(t.Context(), "held")
		require.NoError(t, err)
		require.EqualValues(t, 1, found.Port)

		// A request under way holds the end up, and meanwhile the signals still change nothing.
		begun, err := testbed.Dial(t.Context(), net.Dialer{}, testbed.Loopback(uint16(d.port)))
		require.NoError(t, err)
		require.NoError(t, begun.Send([]byte{0, 5, 'z'}))
		_, err = d.client().Lookup(t.Context(), "held")
		require.NoError(t, err)
		require.NoError(t, d.Signal(end))
		require.Eventually(t, func() bool {
			_, err := testbed.Ask(t.Context(), testbed.Loopback(uint16(d.port)), nil)
			return errors.Is(err, testbed.ErrRefused)
		}, patience, time.Millisecond)
		require.NoError(t, d.Signal(syscall.SIGHUP))
		require.NoError(t, d.Signal(syscall.SIGUSR2))
		select {
		case <-d.Ended():
			require.Fail(t, "a signal has ended it", "%v", d.State())
		case <-time.After(100 * time.Millisecond): // it takes less to end
		}
		require.NoError(t, begun.Send([]byte("held")))
		answer, err := begun.RecvAll(patience)
		require.NoError(t, err)
		require.Equal(t, []byte{byte(wire.TagPort2Resp), 0, 0, 1}, answer[:4])
		require.NoError(t, begun.Close())
		require.NoError(t, held.Close())
		require.Equal(t, 128+int(end), d.exit(t), d.Stderr.String())
	}
}

// TestProcess1Reaps: the orphans that a process 1 inherits are not left in the table of
// processes when they have ended.
func TestProcess1Reaps(t *testing.T) {
	t.Parallel()
	d := startAsProcess1(t)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	const orphans = 3
	// A background command of a shell that has ended is an orphan.
	shell := exec.Command("nsenter", "-t", strconv.Itoa(d.PID()), "-p", "sh", "-c",
		strings.Repeat("cat <&3 >/dev/null 2>&1 & ", orphans))
	shell.ExtraFiles = []*os.File{r}
	out, err := shell.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, r.Close())
	require.Eventually(t, func() bool { return len(childrenOf(t, d.PID())) == orphans }, patience, time.Millisecond)
	require.NoError(t, w.Close()) // which ends them
	require.Eventually(t, func() bool { return len(childrenOf(t, d.PID())) == 0 }, patience, time.Millisecond)
	require.NoError(t, d.Signal(syscall.SIGTERM))
	require.Equal(t, 128+int(syscall.SIGTERM), d.exit(t))
	require.Empty(t, d.Stderr.String())
}

// reapingEnv has TestReapLeavesOwnChildren be the process that reaps: it takes the status of
// every child of its process, and other tests have some too.
const reapingEnv = "GOEPMD_TEST_REAPING"

// TestReapLeavesOwnChildren: a child that an upgrade has started and waits for keeps its
// status for it; orphans, which any child stands for here, are reaped after that.
func TestReapLeavesOwnChildren(t *testing.T) {
	if os.Getenv(reapingEnv) == "" {
		t.Parallel()
		cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), reapingEnv+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return
	}
	u := new(upgrader)
	ctx, cancel := context.WithCancel(t.Context())
	var reaping sync.WaitGroup
	defer reaping.Wait()
	defer cancel()
	u.busy.Lock() // as while an upgrade is under way
	reaping.Go(func() { u.reapOrphans(ctx) })
	own := exec.Command("sh", "-c", "exit 7")
	require.NoError(t, own.Start())
	orphan := exec.Command("sh", "-c", "exit 8")
	require.NoError(t, orphan.Start())
	for _, pid := range []int{own.Process.Pid, orphan.Process.Pid} { // until each has ended
		require.NoError(t, unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil))
	}
	require.Error(t, own.Wait())
	require.Equal(t, 7, own.ProcessState.ExitCode())
	u.busy.Unlock()
	require.Eventually(t, func() bool {
		return unix.Waitid(unix.P_PID, orphan.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil) == unix.ECHILD
	}, patience, time.Millisecond)
}
