package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/testbed"
)

// The least that the program needs, as docs/deploy.md has it and the program says.
const (
	leastThreads        = 12
	leastThreadsCommand = 6
	leastFiles          = 18
	leastFilesCommand   = 6
	leastMiB            = 1536 // of address space
)

// needRoot skips a test of what only root can set up.
func needRoot(t *testing.T, what string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("SKIPPED: only root can %s; to see it: sudo go test ./cmd/epmd -run %s", what, t.Name())
	}
}

// limited is a call of the program under limits of prlimit, such as --nofile=18.
func limited(limit string, args ...string) *exec.Cmd {
	return testbed.Command("prlimit", append([]string{limit, program}, args...)...)
}

var users atomic.Int32

// someUser is a user of whom nothing runs, since limits of processes count them by user.
func someUser(cmd *exec.Cmd) *exec.Cmd {
	id := uint32(1_000_000 + 1000*os.Getpid() + int(users.Add(1)))
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: id, Gid: id}
	return cmd
}

// sentence is what the program says when it lacks something.
var sentence = regexp.MustCompile(`^epmd: [^\n]*\b(\d+)(\.5 GiB|\b)[^\n]*\n$`)

// served starts a daemon that may lack something. It serves, and ends by SIGTERM as it should,
// which is true, or it ends with status 1 and one sentence, which is given.
func served(t *testing.T, call func(port uint16) *exec.Cmd) (bool, string) {
	t.Helper()
	p, err := testbed.Start(t.Context(), call)
	if end := new(testbed.EndError); errors.As(err, &end) {
		require.Equal(t, 1, end.Status, "%v", end)
		require.Regexp(t, sentence, end.Stderr)
		require.Empty(t, end.Stdout)
		return false, end.Stderr
	}
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	d := &daemon{p, int(p.Port)}
	r, err := d.client().Register(t.Context(), node("held", 4711))
	require.NoError(t, err)
	for range 3 {
		found, err := d.client().Lookup(t.Context(), "held")
		require.NoError(t, err)
		require.EqualValues(t, 4711, found.Port)
	}
	require.NoError(t, r.Close())
	require.NoError(t, d.Signal(syscall.SIGTERM))
	d.exit(t)
	require.Equal(t, syscall.SIGTERM, d.State().Sys().(syscall.WaitStatus).Signal(), d.Stderr.String())
	require.Empty(t, d.Stderr.String())
	return true, ""
}

func onPort(port uint16, more ...string) []string {
	return append([]string{"-port", strconv.Itoa(int(port))}, more...)
}

// TestFewFiles: with few open files the daemon serves, or says how many it needs, with which
// it serves then.
func TestFewFiles(t *testing.T) {
	t.Parallel()
	closeInherited() // the program shall begin with its standard streams alone
	with := func(files int, more ...string) (bool, string) {
		return served(t, func(port uint16) *exec.Cmd {
			return limited(fmt.Sprintf("--nofile=%d", files), onPort(port, more...)...)
		})
	}
	for files := 3; files < leastFiles+3; files++ {
		ok, said := with(files)
		require.Equal(t, files >= leastFiles, ok, "%d files: %s", files, said)
		if !ok {
			require.Contains(t, said, fmt.Sprintf(" %d", leastFiles))
		}
	}
	more := []string{"-address", "127.0.0.2,127.0.0.3", "-http", "0", "-state", filepath.Join(t.TempDir(), "state")}
	_, said := with(leastFiles, more...)
	number := regexp.MustCompile(`(\d+) open files are needed`).FindStringSubmatch(said)
	require.NotNil(t, number, said)
	needed, err := strconv.Atoi(number[1])
	require.NoError(t, err)
	ok, said := with(needed, more...)
	require.True(t, ok, said)
}

// TestFewFilesDetached: -daemon says it too.
func TestFewFilesDetached(t *testing.T) {
	t.Parallel()
	closeInherited()
	port := freePort(t)
	killDaemon(t, port)
	for _, files := range []int{3, 6, leastFiles - 1, leastFiles} { // the daemon has one from its starter
		got := call(t, "prlimit", fmt.Sprintf("--nofile=%d", files), program, "-port", strconv.Itoa(port), "-daemon")
		require.Regexp(t, sentence, got.Stderr, "%d files", files)
	}
	require.Equal(t, result{}, call(t, "prlimit", fmt.Sprintf("--nofile=%d", leastFiles+1), program, "-port", strconv.Itoa(port), "-daemon"))
	require.Equal(t, 0, call(t, program, "-port", strconv.Itoa(port), "-names").Status)
}

// TestFewFilesCommand: so do the commands.
func TestFewFilesCommand(t *testing.T) {
	t.Parallel()
	closeInherited()
	d := start(t, program)
	for files := 3; files < leastFilesCommand+2; files++ {
		got := call(t, "prlimit", fmt.Sprintf("--nofile=%d", files), program, "-port", strconv.Itoa(d.port), "-names")
		if files >= leastFilesCommand {
			require.Equal(t, 0, got.Status, "%d files: %s", files, got.Stderr)
			continue
		}
		require.Equal(t, 1, got.Status)
		require.Regexp(t, sentence, got.Stderr)
	}
}

// TestFewThreads: with few threads the daemon says how many it needs, and never dies later.
func TestFewThreads(t *testing.T) {
	t.Parallel()
	needRoot(t, "run as a user of whom nothing else runs")
	for _, procs := range []string{"1", "64"} { // whatever the machine has
		for _, threads := range []int{1, 2, 4, 7, leastThreads - 1, leastThreads, leastThreads + 1} {
			ok, said := served(t, func(port uint16) *exec.Cmd {
				cmd := someUser(limited(fmt.Sprintf("--nproc=%d", threads), onPort(port)...))
				cmd.Env = append(cmd.Env, "GOMAXPROCS="+procs)
				return cmd
			})
			require.Equal(t, threads >= leastThreads, ok, "%d threads: %s", threads, said)
			if !ok {
				require.Contains(t, said, fmt.Sprintf("a daemon needs %d, a command %d", leastThreads, leastThreadsCommand))
			}
		}
	}
}

// TestFewThreadsCommand: a command says so too.
func TestFewThreadsCommand(t *testing.T) {
	t.Parallel()
	needRoot(t, "run as a user of whom nothing else runs")
	d := start(t, program)
	for _, threads := range []int{1, 2, leastThreadsCommand} {
		got, err := testbed.Run(t.Context(), someUser(limited(fmt.Sprintf("--nproc=%d", threads), onPort(d.Port, "-names")...)))
		require.NoError(t, err)
		if threads == leastThreadsCommand {
			require.Equal(t, 0, got.Status, got.Stderr)
			continue
		}
		require.Equal(t, 1, got.Status)
		require.Regexp(t, sentence, got.Stderr)
	}
}

// TestLittleAddressSpace: with little address space it serves, or says how much it needs.
func TestLittleAddressSpace(t *testing.T) {
	t.Parallel()
	for _, mib := range []int{64, 100, 300, 700, 800, 1200, leastMiB} {
		ok, said := served(t, func(port uint16) *exec.Cmd {
			return limited(fmt.Sprintf("--as=%d", mib<<20), onPort(port)...)
		})
		if !ok {
			require.Contains(t, said, "it needs 1.5 GiB of address space")
		}
		if mib <= 300 {
			require.False(t, ok, "%d MiB", mib)
		}
		if mib >= leastMiB {
			require.True(t, ok, said)
		}
	}
}

// TestBareRoot: without /proc and /dev the program does all that it does elsewhere, but for
// upgrades, of which it says why not.
func TestBareRoot(t *testing.T) {
	t.Parallel()
	needRoot(t, "change the root directory")
	root := t.TempDir()
	install(t, filepath.Join(root, "epmd"), program)
	bare := func(args ...string) *exec.Cmd {
		cmd := testbed.Command("/epmd", args...)
		cmd.Path = "/epmd"
		cmd.Err = nil
		cmd.SysProcAttr.Chroot = root
		cmd.Dir = "/"
		return cmd
	}
	run := func(cmd *exec.Cmd) result {
		got, err := testbed.Run(t.Context(), cmd)
		require.NoError(t, err)
		return got
	}
	ok, said := served(t, func(port uint16) *exec.Cmd { return bare(onPort(port)...) })
	require.True(t, ok, said)

	port := uint16(freePort(t))
	c := killDaemon(t, int(port))
	require.Equal(t, result{}, run(bare(onPort(port, "-daemon")...)))
	held, _ := hold(t, int(port), "held")
	got := run(bare(onPort(port, "-names")...))
	require.Equal(t, 0, got.Status, got.Stderr)
	require.Contains(t, got.Stdout, "name held at port 1\n")
	got = run(bare(onPort(port, "-upgrade")...))
	require.Equal(t, 1, got.Status)
	require.Contains(t, got.Stderr, "the daemon goes on as it is: its own program is not known; on Linux this takes a /proc")
	_, err := c.Names(context.Background())
	require.NoError(t, err)
	require.NoError(t, held.Close())
	require.Equal(t, result{Stdout: "Killed\n"}, run(bare(onPort(port, "-kill")...)))

	// Go's runtime wants each stream open, and opens /dev/null for one that is not.
	got = call(t, "sh", "-c", `exec chroot "$0" /epmd -names <&-`, root)
	require.Equal(t, result{Status: 1, Stderr: noStreams}, got)
}
