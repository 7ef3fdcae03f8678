package main

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/internal/testbed"
	"github.com/goepmd/goepmd/registry/state"
)

// stateCase is something that stands where -state says, or does not.
type stateCase struct {
	make    func(t *testing.T, dir string) string // in an empty folder; gives the path
	refused string                                // what is said; empty if the daemon starts
	target  string                                // where the state is then; the path itself if empty
}

// stateCases are the kinds of files, by name.
func stateCases() map[string]stateCase {
	file := func(b []byte) func(*testing.T, string) string {
		return func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "state")
			require.NoError(t, os.WriteFile(path, b, 0o600))
			return path
		}
	}
	name := func(path string) func(*testing.T, string) string {
		return func(_ *testing.T, dir string) string { return strings.ReplaceAll(path, "DIR", dir) }
	}
	newer := saved(true)
	newer[7]++
	cases := map[string]stateCase{
		"none":           {make: name("DIR/state")},
		"empty":          {make: file(nil)},
		"ours":           {make: file(saved(true))},
		"ours, damaged":  {make: file(saved(true)[:30])},
		"newer":          {make: file(newer), refused: "name another file with -state"},
		"text":           {make: file([]byte("precious\n")), refused: "is no state of an epmd"},
		"a byte":         {make: file([]byte("G")), refused: "is no state of an epmd"},
		"zeros":          {make: file(make([]byte, 4096)), refused: "is no state of an epmd"},
		"/dev/null":      {make: name("/dev/null"), refused: "is a device"},
		"/dev/full":      {make: name("/dev/full"), refused: "is a device"},
		"below a file":   {make: name("/etc/passwd/state"), refused: "not a directory"},
		"missing folder": {make: name("DIR/none/state"), target: "none"},
		"slash":          {make: name("DIR/none/"), refused: "is a folder"},
		"folder": {
			make: func(t *testing.T, dir string) string {
				require.NoError(t, os.Mkdir(filepath.Join(dir, "state"), 0o700))
				return filepath.Join(dir, "state")
			},
			refused: "is a folder",
		},
		"pipe": {
			make: func(t *testing.T, dir string) string {
				require.NoError(t, unix.Mkfifo(filepath.Join(dir, "state"), 0o600))
				return filepath.Join(dir, "state")
			},
			refused: "is a named pipe",
		},
		"socket": {
			make: func(t *testing.T, dir string) string {
				ln, err := net.Listen("unix", filepath.Join(dir, "state"))
				require.NoError(t, err)
				t.Cleanup(func() { _ = ln.Close() })
				return filepath.Join(dir, "state")
			},
			refused: "is a socket",
		},
		"circle": {
			make: func(t *testing.T, dir string) string {
				require.NoError(t, os.Symlink("other", filepath.Join(dir, "state")))
				require.NoError(t, os.Symlink("state", filepath.Join(dir, "other")))
				return filepath.Join(dir, "state")
			},
			refused: "too many levels of symbolic links",
		},
	}
	for name, to := range maps.Clone(cases) {
		if name == "slash" {
			continue
		}
		cases["link to "+name] = stateCase{
			make: func(t *testing.T, dir string) string {
				below := filepath.Join(dir, "below")
				require.NoError(t, os.Mkdir(below, 0o700))
				target, err := filepath.Rel(dir, to.make(t, below))
				require.NoError(t, err)
				require.NoError(t, os.Symlink(target, filepath.Join(dir, "link")))
				return filepath.Join(dir, "link")
			},
			refused: to.refused,
			target:  filepath.Join("below", "state"),
		}
	}
	cases["link to missing folder"] = stateCase{make: cases["link to missing folder"].make, target: "none"}
	return cases
}

// tree is all that is below a folder, with what it is.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := fmt.Sprint(info.Mode(), info.Sys().(*syscall.Stat_t).Ino)
		switch {
		case info.Mode().IsRegular():
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			what += string(b)
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			require.NoError(t, err)
			what += to
		}
		found[path] = what
		return nil
	}))
	return found
}

// readState is the state in a file, which must be whole, or nothing if it is empty.
func readState(t *testing.T, path string) state.State {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	if len(b) == 0 {
		return state.State{}
	}
	s, err := state.DecodeGiven(b)
	require.NoError(t, err)
	return s
}

// TestStateFiles: what is no state file is refused with a sentence and left alone, what is
// one is written, and a port that is taken is told before either, silently; whether
// the daemon detaches or not.
func TestStateFiles(t *testing.T) {
	t.Parallel()
	taken := start(t, program)
	for name, c := range stateCases() {
		for _, flags := range [][]string{{}, {"-daemon"}} {
			t.Run(strings.Join(append(flags, name), " "), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				path := c.make(t, dir)
				before := tree(t, dir)
				args := append(flags, "-state", path, "-port")
				require.Equal(t, result{}, call(t, program, append(args, strconv.Itoa(taken.port))...))
				require.Equal(t, before, tree(t, dir))
				port := freePort(t)
				args = append(args, strconv.Itoa(port))
				if c.refused == "" {
					isKept(t, port, args, dir, path, c.target)
					return
				}
				got := call(t, program, args...)
				require.Equal(t, 1-len(flags), got.Status)
				require.Contains(t, got.Stderr, c.refused)
				require.Equal(t, 1, strings.Count(got.Stderr, "\n"), got.Stderr)
				require.Equal(t, before, tree(t, dir))
				_, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
				require.ErrorIs(t, err, syscall.ECONNREFUSED)
			})
		}
	}
}

// TestStateBeforePort: nobody can connect to a daemon that will not start for its file.
func TestStateBeforePort(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	done := make(chan struct{})
	var callers sync.WaitGroup
	var tries atomic.Int64
	for range 2 {
		callers.Go(func() {
			for ; ; tries.Add(1) {
				select {
				case <-done:
					return
				default:
				}
				if c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
					_ = c.Close()
					t.Error("somebody could connect")
				}
			}
		})
	}
	for _, address := range []string{"127.0.0.1", "127.0.0.1,127.0.0.2,::1", "::", "0.0.0.0", "", "127.0.0.1"} {
		got := call(t, program, "-port", strconv.Itoa(port), "-address", address, "-state", t.TempDir())
		require.Equal(t, 1, got.Status)
		require.Contains(t, got.Stderr, "is a folder")
	}
	close(done)
	callers.Wait()
	require.Greater(t, tries.Load(), int64(100))

	// The port is taken if it is at one of the addresses.
	other, err := net.Listen("tcp4", "127.0.0.2:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	at := strconv.Itoa(other.Addr().(*net.TCPAddr).Port)
	for _, address := range []string{"", "127.0.0.2", "0.0.0.0"} {
		require.Equal(t, result{}, call(t, program, "-port", at, "-address", address, "-state", t.TempDir()), address)
	}
	got := call(t, program, "-port", at, "-address", "127.0.0.3", "-state", t.TempDir())
	require.Contains(t, got.Stderr, "is a folder")
}

// isKept: a daemon with these flags keeps its state in the target.
func isKept(t *testing.T, port int, args []string, dir, path, target string) {
	t.Helper()
	links := map[string]string{}
	for path, what := range tree(t, dir) {
		if strings.HasPrefix(what, "L") {
			links[path] = what
		}
	}
	endLater(t, port)
	if args[0] == "-daemon" {
		require.Equal(t, result{}, call(t, program, args...))
	} else {
		startOn(t, port, args...)
	}
	hold(t, port, "held")
	if target == "none" {
		return // TestStateCannotBeWritten has what happens there
	}
	if target != "" {
		path = filepath.Join(dir, target)
	}
	require.Eventually(t, func() bool {
		s := readState(t, path)
		return len(s.Names.Nodes) == 1 && s.Names.Nodes[0].Node.Name == "held"
	}, patience, 10*time.Millisecond)
	after := tree(t, dir)
	for path, what := range links {
		require.Equal(t, what, after[path])
	}
}

// startOn starts our program, whose flags tell the port.
func startOn(t *testing.T, port int, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program, args...)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, patience, time.Millisecond)
	return cmd
}

// TestStateUnreadable: a file that the daemon's user may not read is refused. One that it may
// read but not write is replaced, if the folder lets it.
func TestStateUnreadable(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "goepmd") // the folder of a test is for its user alone
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o777)) //nolint:gosec // for another user
	path, own := filepath.Join(dir, "state"), filepath.Join(dir, "epmd")
	install(t, own, program)
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command(own, args...)
		if os.Geteuid() == 0 { // who may read everything
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		return cmd
	}
	port := strconv.Itoa(freePort(t))
	require.NoError(t, os.WriteFile(path, saved(true), 0o600))
	require.NoError(t, os.Chmod(path, 0))
	out, err := run("-port", port, "-state", path).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "correct -state, or the rights of the file")
	require.Contains(t, string(out), "permission denied")

	require.NoError(t, os.Chmod(path, 0o444)) //nolint:gosec // likewise
	cmd := run("-port", port, "-state", path)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool { return !readState(t, path).Final }, patience, time.Millisecond)
}

// TestStateOfTwo: a file is one daemon's. A second one on another port ends with a
// sentence, and changes nothing; when the first has been killed, the file is free.
func TestStateOfTwo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, link := filepath.Join(dir, "state"), filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(path, link))
	first := start(t, program, "-state", path)
	c, told := hold(t, first.port, "held")
	require.Eventually(t, func() bool { return len(readState(t, path).Names.Nodes) == 1 }, patience, time.Millisecond)
	const sentence = "another daemon keeps its state there: name another file with -state, or end that daemon"
	before := tree(t, dir)
	var said [2]testbed.Output
	var seconds [2]*exec.Cmd
	for i, flags := range [][]string{{}, {"-daemon"}} { // both at once: they wait for the first
		seconds[i] = exec.Command(program, append(flags, "-port", strconv.Itoa(freePort(t)), "-state", link)...)
		seconds[i].Stderr = &said[i]
		require.NoError(t, seconds[i].Start())
	}
	for i, second := range seconds {
		_ = second.Wait() // its status tells
		require.Equal(t, 1-i, second.ProcessState.ExitCode())
		require.Contains(t, said[i].String(), sentence)
	}
	require.Equal(t, before, tree(t, dir))
	first.Stop()
	require.NoError(t, c.Close())
	second := start(t, program, "-state", link)
	_, again := hold(t, second.port, "held")
	require.Greater(t, again.Creation, told.Creation)
}

// TestStateRelative: in the foreground a path counts from the folder of the start, also in an
// upgrade. Detached, a daemon has the root for its folder: that is refused, unless the port
// is taken.
func TestStateRelative(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := testbed.Start(t.Context(), func(port uint16) *exec.Cmd {
		cmd := testbed.Command(program, "-port", strconv.Itoa(int(port)), "-state", "state")
		cmd.Dir = dir
		return cmd
	})
	require.NoError(t, err)
	t.Cleanup(d.Stop)
	port := int(d.Port)
	endLater(t, port)
	for i := range 2 {
		hold(t, port, strconv.Itoa(i))
		require.Eventually(t, func() bool { return len(readState(t, filepath.Join(dir, "state")).Names.Nodes) == i+1 }, patience, time.Millisecond)
		got := call(t, program, "-port", strconv.Itoa(port), "-upgrade")
		require.Equal(t, 0, got.Status, got.Stderr)
	}
	require.Equal(t, result{}, call(t, program, "-port", strconv.Itoa(port), "-daemon", "-state", "state"))
	got := call(t, program, "-port", strconv.Itoa(freePort(t)), "-daemon", "-state", "state")
	require.Equal(t, result{Stderr: "epmd: " + errRelative.Error() + "\n"}, got)
}

// TestStateOfOneThatEnds: a daemon that starts while the one before still answers and saves
// waits for that, and has all of it.
func TestStateOfOneThatEnds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	first := start(t, program, "-state", path)
	hold(t, first.port, "held")
	begun, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", first.port))
	require.NoError(t, err)
	_, err = begun.Write([]byte{0, 5}) // whoever has begun to ask is waited for
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(readState(t, path).Names.Nodes) == 1 }, patience, time.Millisecond)
	require.NoError(t, first.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		_, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", first.port))
		return err != nil
	}, patience, time.Millisecond)
	require.Nil(t, first.State(), "it ends, and has not ended")
	go func() {
		time.Sleep(time.Second) // while the second one waits
		_ = begun.Close()
	}()
	second := start(t, program, "-state", path)
	require.NotNil(t, first.State())
	s := readState(t, path)
	require.Len(t, s.Names.Old, 1)
	require.Less(t, s.Names.Old[0].Counter, uint32(time.Now().Unix()+state.Margin/2), "the first one has said that nothing changes any more")
	hold(t, second.port, "held")
}

// TestStateComesLater: of two daemons whose folder comes when they run, one keeps its
// state there. The other one serves, and says why it does not.
func TestStateComesLater(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	path := filepath.Join(dir, "state")
	ds := []*daemon{start(t, program, "-state", path), start(t, program, "-state", path)}
	require.NoError(t, os.Mkdir(dir, 0o700))
	for _, d := range ds {
		hold(t, d.port, "of"+strconv.Itoa(d.port))
	}
	taken := func(d *daemon) bool {
		return strings.Contains(d.Stderr.String(), "another daemon keeps its state there")
	}
	require.Eventually(t, func() bool { return taken(ds[0]) || taken(ds[1]) }, patience, 10*time.Millisecond)
	require.NotEqual(t, taken(ds[0]), taken(ds[1]))
	for _, d := range ds {
		names, err := d.client().Names(context.Background())
		require.NoError(t, err)
		require.Len(t, names.Nodes, 1)
		if !taken(d) {
			require.Eventually(t, func() bool {
				s := readState(t, path)
				return len(s.Names.Nodes) == 1 && s.Names.Nodes[0].Node.Name == "of"+strconv.Itoa(d.port)
			}, patience, 10*time.Millisecond)
		}
	}
}

// TestStateIsReplaced: what somebody puts in the place of the file while the daemon runs is
// left alone, and costs nobody a registration; once it is gone, the state is saved
// again.
func TestStateIsReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	d := start(t, program, "-state", path)
	require.NoError(t, os.Remove(path))
	require.NoError(t, unix.Mkfifo(path, 0o600))
	before := tree(t, dir)
	c, _ := holdNode(t, d.port, old)
	require.Eventually(t, func() bool { return strings.Contains(d.Stderr.String(), "is a named pipe") }, patience, time.Millisecond)
	require.Equal(t, before, tree(t, dir))
	require.True(t, c.Open())
	require.NoError(t, os.Remove(path))
	hold(t, d.port, "new")
	require.Eventually(t, func() bool { return exists(path) && len(readState(t, path).Names.Nodes) == 2 }, patience, time.Millisecond)
}

// TestStateNext: what stands where the next file is written is removed if a daemon that
// died has left it, and is left alone otherwise: that costs nothing.
func TestStateNext(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(t *testing.T, path string){
		"left":   func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, saved(false)[:20], 0o600)) },
		"empty":  func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, nil, 0o600)) },
		"text":   func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600)) },
		"pipe":   func(t *testing.T, path string) { require.NoError(t, unix.Mkfifo(path, 0o600)) },
		"folder": func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) },
		"link":   func(t *testing.T, path string) { require.NoError(t, os.Symlink("victim", path)) },
		"of another daemon": func(t *testing.T, path string) {
			start(t, program, "-state", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "state")
			require.NoError(t, os.WriteFile(filepath.Join(dir, "victim"), nil, 0o600))
			make(t, path+".new")
			before := tree(t, dir)
			d := start(t, program, "-state", path)
			hold(t, d.port, "held")
			require.Eventually(t, func() bool { return len(readState(t, path).Names.Nodes) == 1 }, patience, time.Millisecond)
			after := tree(t, dir)
			delete(after, path)
			if name == "left" || name == "empty" {
				delete(before, path+".new")
			}
			delete(before, dir)
			delete(after, dir)
			require.Equal(t, before, after)
		})
	}
}

// TestStateInUpgrade: the file is claimed all the time while daemons hand over to each other,
// by SIGUSR2 or -upgrade, and it is free when the last has been killed.
func TestStateInUpgrade(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state")
	d := start(t, program, "-state", path)
	endLater(t, d.port)
	hold(t, d.port, "held")
	done := make(chan struct{})
	ended := make(chan int)
	go func() {
		tries := 0
		defer func() { ended <- tries }()
		for ; ; tries++ {
			select {
			case <-done:
				return
			default:
			}
			file, err := openOurs(path)
			if err == nil && lockFile(file) == nil && isAt(path, file) {
				t.Error("the file could be locked")
			}
			if err == nil {
				_ = file.Close()
			}
		}
	}()
	for i := range 4 {
		before := listenerOf(t, d.port)
		if i%2 == 0 {
			got := call(t, program, "-port", strconv.Itoa(d.port), "-upgrade")
			require.Equal(t, 0, got.Status, got.Stderr)
		} else {
			require.NoError(t, syscall.Kill(before, syscall.SIGUSR2))
			awaitEnd(t, before)
		}
		hold(t, d.port, strconv.Itoa(i))
		require.Eventually(t, func() bool { return len(readState(t, path).Names.Nodes) == i+2 }, patience, 10*time.Millisecond)
	}
	close(done)
	require.Greater(t, <-ended, 1000)
	pid := listenerOf(t, d.port)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	next := start(t, program, "-state", path)
	require.Empty(t, next.Stderr.String())
}
