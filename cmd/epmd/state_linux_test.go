package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/registry/state"
	"github.com/goepmd/goepmd/wire"
)

// TestStateSurvives: whenever the daemon is killed, or ends, a name gets a creation
// that it never had.
func TestStateSurvives(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	had := map[string]map[uint32]bool{"known": {}, "churned": {}, "late": {}}
	register := func(port int, name string) {
		c, resp := hold(t, port, name)
		require.False(t, had[name][resp.Creation], "%s had creation %d before", name, resp.Creation)
		had[name][resp.Creation] = true
		// To close would not end it while another test starts a program: that has a copy.
		require.NoError(t, c.HalfClose())
		require.NoError(t, c.Close())
	}
	for i := range 6 {
		d := start(t, program, "-state", path)
		register(d.port, "known")
		for range 50 {
			register(d.port, "churned")
		}
		if i%2 == 0 { // sometimes it is killed after the file was written, sometimes before
			require.Eventually(t, func() bool {
				b, err := os.ReadFile(path)
				s, err2 := state.Decode(b)
				return err == nil && err2 == nil && len(s.Names.Nodes)+len(s.Names.Old) >= 2
			}, patience, time.Millisecond)
		}
		for range 5 {
			register(d.port, "late")
		}
		if i == 3 {
			require.NoError(t, d.Signal(syscall.SIGTERM))
			d.exit(t)
		} else {
			d.Stop()
		}
	}
}

// old is a node from before OTP 23.
var old = wire.Node{Name: "old", Port: 1, Type: wire.NodeTypeNormal, Highest: 5, Lowest: 5}

// TestStateOfOldNodes: a node from before OTP 23, which knows three creations, gets another
// one although the daemon was killed as soon as it had told the last.
func TestStateOfOldNodes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	var last uint32
	for i := range 8 {
		d := start(t, program, "-state", path)
		for range 1 + i%3 {
			c, resp := holdNode(t, d.port, old)
			require.NotEqual(t, last, resp.Creation)
			last = resp.Creation
			require.NoError(t, c.HalfClose())
			require.NoError(t, c.Close())
		}
		d.Stop()
	}
}

// TestStateCannotBeWritten: on a full or read-only file system, or in a folder
// that is gone, the daemon says so and serves; nobody loses a registration.
func TestStateCannotBeWritten(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root may mount the file systems to test on; run it as root")
	}
	mount := func(t *testing.T, options string) string {
		dir := t.TempDir()
		err := unix.Mount("tmpfs", dir, "tmpfs", 0, options)
		if errors.Is(err, unix.EPERM) {
			t.Skip("SKIPPED: root may mount no file system here, as in a container: run it on a machine, or with --privileged")
		}
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
		return dir
	}
	fill := func(t *testing.T, dir string) {
		f, err := os.Create(filepath.Join(dir, "full"))
		require.NoError(t, err)
		_, err = f.Write(make([]byte, 1<<20))
		require.ErrorIs(t, err, unix.ENOSPC)
		require.NoError(t, f.Close())
	}
	for name, spoil := range map[string]func(t *testing.T) string{
		"full":      func(t *testing.T) string { dir := mount(t, "size=8k"); fill(t, dir); return dir },
		"read-only": func(t *testing.T) string { return mount(t, "ro") },
		"gone":      func(t *testing.T) string { return filepath.Join(t.TempDir(), "none") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := spoil(t)
			d := start(t, program, "-state", filepath.Join(dir, "state"))
			c, _ := hold(t, d.port, "held")
			time.Sleep(2 * saveEvery) // for it to try, and try again
			_, err := c.Recv(nil, 10*time.Millisecond)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded, "it is registered")
			d.Stop()
			require.Contains(t, d.Stderr.String(), "the state cannot be saved")
			warnings := strings.Count(d.Stderr.String(), "\n")
			require.LessOrEqual(t, warnings, 10, d.Stderr.String())
		})
	}

	// One that fills up while it is in use keeps what it had, and is written once there is
	// room.
	dir := mount(t, "size=64k")
	path := filepath.Join(dir, "state")
	d := start(t, program, "-state", path)
	names := func() int {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		s, err := state.DecodeGiven(b)
		require.NoError(t, err, "it is whole at any moment")
		return len(s.Names.Nodes)
	}
	hold(t, d.port, "a")
	require.Eventually(t, func() bool { return names() == 1 }, patience, time.Millisecond)
	fill(t, dir)
	for i := range 60 {
		hold(t, d.port, "b"+strconv.Itoa(i)+strings.Repeat("n", 200))
	}
	time.Sleep(saveEvery)
	names()
	require.NoError(t, os.Remove(filepath.Join(dir, "full")))
	require.Eventually(t, func() bool { return names() == 61 }, patience, 10*time.Millisecond)
	d.Stop()

	// Where there is no room when a daemon starts, nor when it is killed, a node from before
	// OTP 23 gets another creation: that takes no room. Once there is room, all is saved.
	fill(t, dir)
	var last uint32
	for range 6 {
		d = start(t, program, "-state", path)
		_, resp := holdNode(t, d.port, old)
		require.NotEqual(t, last, resp.Creation)
		last = resp.Creation
		d.Stop()
	}
	d = start(t, program, "-state", path)
	require.NoError(t, os.Remove(filepath.Join(dir, "full")))
	require.NoError(t, d.Signal(syscall.SIGTERM))
	d.exit(t)
	require.True(t, readState(t, path).Final)
	fill(t, dir)
	d = start(t, program, "-state", path)
	require.NoError(t, os.Remove(filepath.Join(dir, "full")))
	require.Eventually(t, func() bool { return !readState(t, path).Final }, patience, 10*time.Millisecond, "without a registration too")
	fill(t, dir)
	_, told := hold(t, d.port, "a")
	require.NoError(t, os.Remove(filepath.Join(dir, "full")))
	require.Eventually(t, func() bool { return names() == 1 }, patience, 10*time.Millisecond)
	d.Stop()
	d = start(t, program, "-state", path)
	_, resp := hold(t, d.port, "a")
	require.Greater(t, resp.Creation, told.Creation)
	d.Stop()

	// The same where there never was a state.
	dir = mount(t, "size=8k")
	path = filepath.Join(dir, "state")
	fill(t, dir)
	d = start(t, program, "-state", path)
	_, resp = holdNode(t, d.port, old)
	require.NoError(t, os.Remove(filepath.Join(dir, "full")))
	require.Eventually(t, func() bool {
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		return len(b) > 0
	}, patience, 10*time.Millisecond)
	require.Equal(t, 1, names())
	d.Stop()
	d = start(t, program, "-state", path)
	_, again := holdNode(t, d.port, old)
	require.NotEqual(t, resp.Creation, again.Creation)
}

// TestStateRefused: the daemon does not start with a state that it must not touch, and
// says why.
func TestStateRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	b := saved(true)
	b[7]++
	require.NoError(t, os.WriteFile(path, b, 0o600))
	got := call(t, program, "-port", strconv.Itoa(freePort(t)), "-state", path)
	require.Equal(t, 1, got.Status)
	require.Contains(t, got.Stderr, "name another file with -state")
}
