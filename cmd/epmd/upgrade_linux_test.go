package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/testbed"
	"github.com/goepmd/goepmd/registry/state"
	"github.com/goepmd/goepmd/wire"
)

// install puts a program in place of another, as an installer would.
func install(t *testing.T, path, from string) {
	t.Helper()
	b, err := os.ReadFile(from)
	require.NoError(t, err)
	installText(t, path, string(b), 0o755)
}

// installText writes a program while this one starts no other: that would have a copy of
// the file, open for writing, until it runs, and nobody could run it as long.
func installText(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	require.NoError(t, os.WriteFile(path+".new", []byte(text), mode)) //nolint:gosec // it is to be run
	require.NoError(t, os.Rename(path+".new", path))
}

// hold registers a name by hand, for as long as the test runs.
func hold(t *testing.T, port int, name string) (*testbed.Conn, wire.Alive2Resp) {
	t.Helper()
	return holdNode(t, port, wire.Node{Name: name, Port: 1, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5})
}

func holdNode(t *testing.T, port int, n wire.Node) (*testbed.Conn, wire.Alive2Resp) {
	t.Helper()
	c, err := testbed.Dial(t.Context(), net.Dialer{}, testbed.Loopback(uint16(port)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	packet, err := n.AppendAlive2Req(nil)
	require.NoError(t, err)
	require.NoError(t, c.Send(packet))
	size := 6
	if n.Highest < wire.Highest32BitCreation {
		size = 4
	}
	answer, err := c.RecvLen(size, patience)
	require.NoError(t, err)
	resp, _, err := wire.ParseAlive2Resp(answer)
	require.NoError(t, err)
	return c, resp
}

// endLater kills whoever listens on the port when the test ends: a daemon's successor
// is nobody's child.
func endLater(t *testing.T, port int) {
	t.Cleanup(func() {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = c.Close()
			pid := listenerOf(t, port)
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may end by itself
			awaitEnd(t, pid)                       // and write no file any more
		}
	})
}

// awaitEnd waits until a process has ended, whether its parent has asked or not.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		return err != nil
	}, patience, time.Millisecond)
}

// TestUpgradeToBroken: whatever stands in the place of the program, the daemon goes
// on; and it upgrades once there is a good one.
func TestUpgradeToBroken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "epmd")
	install(t, path, program)
	d := start(t, path)
	endLater(t, d.port)
	port := strconv.Itoa(d.port)
	c, _ := hold(t, d.port, "held")
	pid := listenerOf(t, d.port)
	for name, tt := range map[string]struct {
		text string
		mode os.FileMode
		err  string
	}{
		"ends":           {"#!/bin/sh\nexit 3\n", 0o755, "exit status 3"},
		"is none":        {"nothing", 0o755, "exec format error"},
		"may not be run": {"#!/bin/sh\n", 0o644, "permission denied"},
		"hangs":          {"#!/bin/sh\nexec sleep 300\n", 0o755, "no answer within 10s"},
		"takes and ends": {"#!/bin/sh\nprintf 'GOEPMDH\\001\\000\\" + fmt.Sprintf("%03o", state.Version) + "' >&3\nhead -c 1 <&3 >/dev/null\nexit 4\n", 0o755, "exit status 4"},
		"too old":        {"#!/bin/sh\nprintf 'GOEPMDH\\001\\000\\000' >&3\nexec sleep 300\n", 0o755, "too old"},
	} {
		installText(t, path, tt.text, tt.mode)
		got := call(t, program, "-port", port, "-upgrade")
		require.Equal(t, 1, got.Status, name)
		require.Contains(t, got.Stderr, "the daemon goes on as it is", name)
		require.Contains(t, got.Stderr, tt.err, name)
		names, err := d.client().Names(context.Background())
		require.NoError(t, err, name)
		require.Len(t, names.Nodes, 1, name)
		require.Equal(t, pid, listenerOf(t, d.port), name)
	}
	require.NoError(t, os.Remove(path))
	got := call(t, program, "-port", port, "-upgrade")
	require.Contains(t, got.Stderr, "no such file")

	install(t, path, program)
	got = call(t, program, "-port", port, "-upgrade")
	require.Equal(t, 0, got.Status, got.Stderr)
	require.NotEqual(t, pid, listenerOf(t, d.port))
	require.Equal(t, fmt.Sprintf("Upgraded, now process %d\n", listenerOf(t, d.port)), got.Stdout)
	names, err := d.client().Names(context.Background())
	require.NoError(t, err)
	require.Len(t, names.Nodes, 1)
	require.NoError(t, syscall.Kill(listenerOf(t, d.port), syscall.SIGKILL)) // it has the first one's standard error
	require.Zero(t, d.exit(t))
	require.Contains(t, d.Stderr.String(), "the upgrade failed, and this daemon goes on")
	require.NoError(t, c.Close())
}

// TestUpgradeThroughLink: the name that it was started by counts, not what that
// was a link to.
func TestUpgradeThroughLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, two, link := filepath.Join(dir, "1"), filepath.Join(dir, "2"), filepath.Join(dir, "epmd")
	install(t, one, program)
	install(t, two, program)
	require.NoError(t, os.Symlink(one, link))
	d := start(t, link)
	endLater(t, d.port)
	require.NoError(t, os.Remove(link))
	require.NoError(t, os.Symlink(two, link))
	got := call(t, program, "-port", strconv.Itoa(d.port), "-upgrade")
	require.Equal(t, 0, got.Status, got.Stderr)
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", listenerOf(t, d.port)))
	require.NoError(t, err)
	require.Equal(t, two, exe)
}

// TestUpgradeDaemon: a detached one stays detached.
func TestUpgradeDaemon(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	c := killDaemon(t, port)
	p := strconv.Itoa(port)
	state := filepath.Join(t.TempDir(), "state")
	require.Equal(t, result{}, call(t, program, "-port", p, "-daemon", "-relaxed_command_check", "-state", state))
	endLater(t, port)
	held, resp := hold(t, port, "held")
	before := listenerOf(t, port)
	got := call(t, program, "-port", p, "-upgrade")
	require.Equal(t, 0, got.Status, got.Stderr)
	after := listenerOf(t, port)
	require.NotEqual(t, before, after)
	for fd := range 3 {
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", after, fd))
		require.NoError(t, err)
		require.Equal(t, "/dev/null", to)
	}
	require.NoError(t, held.Close())
	require.Eventually(t, func() bool { n, err := c.Names(context.Background()); return err == nil && len(n.Nodes) == 0 }, patience, time.Millisecond)
	_, again := hold(t, port, "held")
	require.Equal(t, resp.Creation+1, again.Creation)
	require.NoError(t, c.Kill(context.Background()))
	got = call(t, program, "-port", p, "-daemon", "-state", "relative")
	require.Contains(t, got.Stderr, "-state needs a path that begins at the root")
}

// TestUpgradeWithPage: the status page goes on at its address, though the next one
// begins while the other still has it.
func TestUpgradeWithPage(t *testing.T) {
	t.Parallel()
	web := "127.0.0.1:" + strconv.Itoa(freePort(t))
	d := start(t, program, "-http", web)
	endLater(t, d.port)
	hold(t, d.port, "held")
	for range 3 {
		got := call(t, program, "-port", strconv.Itoa(d.port), "-upgrade")
		require.Equal(t, 0, got.Status, got.Stderr)
		resp, err := http.Get("http://" + web + "/nodes")
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Contains(t, string(body), `"held"`)
	}
}

// TestUpgradeNobody: without a daemon there is nobody to ask.
func TestUpgradeNobody(t *testing.T) {
	got := call(t, program, "-port", strconv.Itoa(freePort(t)), "-upgrade")
	require.Equal(t, 1, got.Status)
	require.Contains(t, got.Stderr, "no daemon of this kind")
}

// TestUpgradeOfPortable: a daemon that cannot hand over says so, goes on, and leaves no
// process behind.
func TestUpgradeOfPortable(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &epmd.Server{Engine: epmd.EnginePortable}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	require.Eventually(t, func() bool { return s.Check(t.Context()) == nil }, patience, time.Millisecond)
	u := &upgrader{server: s, log: slog.New(slog.DiscardHandler), place: place{parent: 200}, program: "/bin/sleep", args: []string{"300"}, control: control{port: uint16(freePort(t))}}
	answer := u.answerControl(t.Context(), controlUpgrade)
	u.control.close()
	require.Contains(t, answer, epmd.ErrPortable.Error())
	require.NoError(t, s.Check(t.Context()))
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-ended, epmd.ErrServerClosed)
}

// TestControlNonsense: what is not understood over the control socket changes nothing.
func TestControlNonsense(t *testing.T) {
	d := start(t, program)
	require.Eventually(t, func() bool {
		answer, err := askControl(uint16(d.port), "dance\n")
		return err == nil && strings.Contains(answer, "nothing that can be asked for")
	}, patience, time.Millisecond)
	c, err := net.DialUnix("unix", nil, controlName(uint16(d.port)))
	require.NoError(t, err)
	require.NoError(t, c.Close())
	_, err = d.client().Names(context.Background())
	require.NoError(t, err)
}

// TestPredecessorVariable: the variable by which a daemon knows its predecessor does
// nothing in other hands.
func TestPredecessorVariable(t *testing.T) {
	for _, v := range []string{"x", "1", "99"} {
		t.Setenv(predecessorEnv, v)
		d := start(t, program)
		require.NoError(t, d.client().Kill(context.Background()))
	}
}
