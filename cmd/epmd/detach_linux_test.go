package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/testbed"
)

// killDaemon ends a detached daemon when the test ends.
func killDaemon(tb testing.TB, port int) *epmd.Client {
	c := &epmd.Client{Addr: fmt.Sprintf("127.0.0.1:%d", port)}
	tb.Cleanup(func() { _ = c.Kill(context.Background()) }) // it may not have started
	return c
}

// TestDaemon: -daemon returns once the daemon listens, which is detached from
// everything that its starter had.
func TestDaemon(t *testing.T) {
	port := freePort(t)
	c := killDaemon(t, port)
	require.Equal(t, result{}, call(t, program, "-port", strconv.Itoa(port), "-daemon", "-relaxed_command_check"))
	_, err := c.Names(context.Background())
	require.NoError(t, err, "it listens as soon as the starter has returned")

	pid := listenerOf(t, port)
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	fields := strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+2:]))
	group, session, tty := fields[2], fields[3], fields[4]
	require.Equal(t, strconv.Itoa(pid), group)
	require.Equal(t, strconv.Itoa(pid), session)
	require.Equal(t, "0", tty)
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	require.NoError(t, err)
	require.Equal(t, "/", cwd)
	for fd := range 3 {
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
		require.NoError(t, err)
		require.Equal(t, "/dev/null", to)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	require.Regexp(t, `(?m)^Umask:\s+0000$`, string(status))
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	require.NoError(t, err)
	require.Contains(t, string(environ), "-daemon", "it shows its flags")

	require.Equal(t, result{}, call(t, program, "-port", strconv.Itoa(port), "-daemon"), "a second one leaves in peace")
	require.NoError(t, c.Kill(context.Background()))
}

// TestDaemonIsReady: once -daemon has returned, everything of the daemon can be asked.
func TestDaemonIsReady(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	p := strconv.Itoa(port)
	c := killDaemon(t, port)
	for range 10 {
		require.Equal(t, result{}, call(t, program, "-port", p, "-daemon"))
		got := call(t, program, "-port", p, "-upgrade")
		require.Equal(t, 0, got.Status, got.Stderr)
		got = call(t, program, "-port", p, "-upgrade")
		require.Equal(t, 0, got.Status, got.Stderr)
		require.NoError(t, c.Kill(context.Background()))
		// It answers before its port is free, where the next one would find it running.
		require.Eventually(t, func() bool {
			c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", p))
			if err == nil {
				_ = c.Close()
			}
			return errors.Is(err, syscall.ECONNREFUSED)
		}, patience, time.Millisecond)
	}
}

// TestDaemonFails: the starter says what is wrong; its status is 0, as OTP's.
func TestDaemonFails(t *testing.T) {
	got := call(t, program, "-port", strconv.Itoa(freePort(t)), "-daemon", "-address", "bogus")
	require.Equal(t, result{Stderr: "epmd: cannot parse IP address \"bogus\"\n"}, got)
}

// TestDaemonHoldsNothing: whoever waits for the end of the starter's output does
// not wait for the daemon.
func TestDaemonHoldsNothing(t *testing.T) {
	port := freePort(t)
	killDaemon(t, port)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.Command(program, "-port", strconv.Itoa(port), "-daemon")
	cmd.Stdout, cmd.Stderr = w, w
	require.NoError(t, cmd.Run())
	require.NoError(t, w.Close())
	out, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Empty(t, string(out))
}

// TestSystemd: the sockets that systemd passes are served, by systemd's own
// protocol; without any it is an error.
func TestSystemd(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f, err := ln.(*net.TCPListener).File()
	require.NoError(t, err)
	port := ln.Addr().(*net.TCPAddr).Port
	require.NoError(t, ln.Close())

	notify := filepath.Join(t.TempDir(), "notify")
	heard, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = heard.Close() })

	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`, program, "-systemd", "-port", strconv.Itoa(port))
	cmd.ExtraFiles = []*os.File{f}
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+notify, "FDSTORE=10")
	require.NoError(t, cmd.Start())
	require.NoError(t, f.Close())
	buf := make([]byte, 100)
	n, err := heard.Read(buf)
	require.NoError(t, err)
	require.Equal(t, "FDSTORE=1\nFDPOLL=0\nFDNAME=goepmd-state", string(buf[:n]))
	n, err = heard.Read(buf)
	require.NoError(t, err)
	require.Equal(t, "READY=1", string(buf[:n]))
	c := &epmd.Client{Addr: fmt.Sprintf("127.0.0.1:%d", port)}
	names, err := c.Names(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, port, names.Port)
	require.NoError(t, c.Kill(context.Background()))
	require.NoError(t, cmd.Wait())

	got := call(t, program, "-systemd", "-port", strconv.Itoa(port))
	require.Equal(t, 1, got.Status)
	require.Contains(t, got.Stderr, "systemd provides no sockets")
}

// listenerOf finds the process that listens on a TCP port.
func listenerOf(tb testing.TB, port int) int {
	tb.Helper()
	inodes := make(map[string]bool)
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(tb, err)
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) > 9 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && f[3] == "0A" {
				inodes["socket:["+f[9]+"]"] = true
			}
		}
	}
	fds, err := filepath.Glob("/proc/[0-9]*/fd/*")
	require.NoError(tb, err)
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && inodes[to] {
			pid, err := strconv.Atoi(strings.Split(fd, "/")[2])
			require.NoError(tb, err)
			return pid
		}
	}
	require.Fail(tb, "nobody listens", "port %d", port)
	return 0
}

// TestDaemonInheritsNothing: what the starter had open, the daemon does not hold.
func TestDaemonInheritsNothing(t *testing.T) {
	port := freePort(t)
	killDaemon(t, port)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	cmd := exec.Command(program, "-port", strconv.Itoa(port), "-daemon")
	cmd.ExtraFiles = []*os.File{w, w}
	require.NoError(t, cmd.Run())
	require.NoError(t, w.Close())
	out, err := io.ReadAll(r) // ends when nobody holds the other end
	require.NoError(t, err)
	require.Empty(t, string(out))
}

// TestStarterVariable: the variable by which a daemon knows its starter does
// nothing in other hands.
func TestStarterVariable(t *testing.T) {
	for _, v := range []string{"1", "3", "99", "x"} {
		port := freePort(t)
		c := killDaemon(t, port)
		got := callEnv(t, []string{starterEnv + "=" + v}, program, "-port", strconv.Itoa(port), "-daemon")
		require.Equal(t, result{}, got)
		require.NoError(t, c.Kill(context.Background()))
	}
}

// TestBlockedLog: a daemon whose log nobody reads ends by the second signal at
// once.
func TestBlockedLog(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	d, err := testbed.Start(t.Context(), func(port uint16) *exec.Cmd {
		cmd := testbed.Command(program, "-port", strconv.Itoa(int(port)), "-d")
		cmd.Stderr = w
		return cmd
	})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	c := &epmd.Client{Addr: testbed.Loopback(d.Port).String(), Timeout: time.Second}
	for range 5000 { // until the pipe is full
		if _, err := c.Names(context.Background()); err != nil {
			break
		}
	}
	_, err = c.Names(context.Background())
	require.Error(t, err, "the log blocks")
	require.NoError(t, d.Signal(syscall.SIGTERM))
	for {
		select {
		case <-d.Ended():
			require.Equal(t, syscall.SIGTERM, d.State().Sys().(syscall.WaitStatus).Signal())
			return
		case <-time.After(100 * time.Millisecond):
			_ = d.Signal(syscall.SIGTERM) // it may just have ended
		}
	}
}
