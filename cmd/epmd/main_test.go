package main

import (
	"context"
	"fmt"
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

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/suitetest"
	"github.com/goepmd/goepmd/internal/testbed"
)

// patience is how long anything may take that should happen at once.
const patience = 30 * time.Second

// program is this program, as built for the tests.
var program string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "goepmd")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // some tests run the program as another user
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	program = filepath.Join(dir, "epmd")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as a release is built
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	for _, name := range []string{envPort, envAddress, envRelaxed} {
		_ = os.Unsetenv(name) // cannot fail for such names
	}
	return m.Run()
}

// freePort is a port that nobody listens on.
func freePort(tb testing.TB) int {
	tb.Helper()
	port, err := testbed.FreePort()
	require.NoError(tb, err)
	return int(port)
}

// daemon is an EPMD program that runs for a test, ours or OTP's.
type daemon struct {
	*testbed.Process
	port int
}

// start runs a program on a free port and waits until it answers.
func start(tb testing.TB, path string, args ...string) *daemon {
	tb.Helper()
	p, err := testbed.Start(tb.Context(), func(port uint16) *exec.Cmd {
		cmd := testbed.Command(path, append([]string{"-port", strconv.Itoa(int(port))}, args...)...)
		cmd.Env = os.Environ() // some tests set what an EPMD reads from it
		return cmd
	})
	require.NoError(tb, err)
	tb.Cleanup(p.Stop)
	return &daemon{p, int(p.Port)}
}

func (d *daemon) client() *epmd.Client {
	return &epmd.Client{Addr: fmt.Sprintf("127.0.0.1:%d", d.port)}
}

// exit waits for the daemon to end by itself, and gives its exit status.
func (d *daemon) exit(tb testing.TB) int {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	status, err := d.Exit(ctx)
	require.NoError(tb, err)
	return status
}

// result is what a command printed and how it ended.
type result = testbed.Result

// call runs a program to its end.
func call(tb testing.TB, path string, args ...string) result {
	tb.Helper()
	return callEnv(tb, nil, path, args...)
}

func callEnv(tb testing.TB, env []string, path string, args ...string) result {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), env...)
	r, err := testbed.Run(ctx, cmd)
	require.NoError(tb, err)
	return r
}

// TestConformance holds the built program to the conformance suite, but for the
// deviations that the documentation tells.
func TestConformance(t *testing.T) {
	t.Parallel()
	suitetest.Play(t, conformance.Program("goepmd", program), "../../docs/deviations.yaml")
}

func TestVersion(t *testing.T) {
	got := call(t, program, "-version")
	require.Equal(t, 0, got.Status)
	require.True(t, strings.HasPrefix(got.Stdout, "goepmd epmd "), got.Stdout)
	require.Empty(t, got.Stderr)
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-nonsense"}, {"-port", "0"}, {"-names", "x"}, {"-help"}} {
		got := call(t, program, args...)
		require.Equal(t, result{Status: 1, Stderr: usage}, got, "%q", args)
	}
}

// TestSignals: a signal ends the daemon as it ends a program that does not handle
// it, and the address is free at once.
func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			d := start(t, program)
			require.NoError(t, d.Signal(sig))
			d.exit(t)
			status := d.State().Sys().(syscall.WaitStatus)
			require.True(t, status.Signaled(), "status %v", status)
			require.Equal(t, sig, status.Signal())
			ln, err := net.Listen("tcp", fmt.Sprintf(":%d", d.port))
			require.NoError(t, err)
			require.NoError(t, ln.Close())
		})
	}
}

// TestAlreadyRunning: a second daemon on the same port leaves with status 0,
// silently unless -d, and the first goes on.
func TestAlreadyRunning(t *testing.T) {
	first := start(t, program)
	port := strconv.Itoa(first.port)
	require.Equal(t, result{}, call(t, program, "-port", port))
	require.Equal(t, result{}, call(t, program, "-port", port, "-address", "127.0.0.2"), "an implied address in use counts too")
	loud := call(t, program, "-d", "-port", port)
	require.Equal(t, 0, loud.Status)
	require.Contains(t, loud.Stderr, "already an epmd running")
	_, err := first.client().Names(context.Background())
	require.NoError(t, err)
}

func TestBadAddress(t *testing.T) {
	port := strconv.Itoa(freePort(t))
	got := call(t, program, "-port", port, "-address", "bogus")
	require.Equal(t, 1, got.Status)
	require.Regexp(t, `^epmd: .*: cannot parse IP address "bogus"`+"\n$", got.Stderr)
	got = call(t, program, "-port", port, "-address", "192.0.2.1")
	require.Equal(t, 1, got.Status)
	require.Contains(t, got.Stderr, "cannot listen on 192.0.2.1")
}

func TestBadEnvironment(t *testing.T) {
	got := callEnv(t, []string{envPort + "=abc"}, program)
	require.Equal(t, 1, got.Status)
	require.Contains(t, got.Stderr, `ERL_EPMD_PORT is "abc"`)
}

// TestListensWhereTold asks the daemon on each address, also on those where it
// must not listen.
func TestListensWhereTold(t *testing.T) {
	listens := func(port int, host string) bool {
		c, err := net.DialTimeout("tcp", net.JoinHostPort(host, strconv.Itoa(port)), patience)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}
	ipv6 := testbed.CheckIPv6() == nil
	t.Run("everywhere", func(t *testing.T) {
		d := start(t, program)
		require.True(t, listens(d.port, "127.0.0.1"))
		require.True(t, listens(d.port, "127.0.0.9"))
		require.Equal(t, ipv6, listens(d.port, "::1"))
	})
	for name, list := range map[string]string{"comma": "127.0.0.2,127.0.0.3", "blank": "127.0.0.2 127.0.0.3,,"} {
		t.Run(name, func(t *testing.T) {
			d := start(t, program, "-address", list)
			require.True(t, listens(d.port, "127.0.0.1"), "loopback is implied")
			require.Equal(t, ipv6, listens(d.port, "::1"), "loopback is implied, where it has IPv6")
			require.True(t, listens(d.port, "127.0.0.2"))
			require.True(t, listens(d.port, "127.0.0.3"))
			require.False(t, listens(d.port, "127.0.0.4"))
		})
	}
	t.Run("environment", func(t *testing.T) {
		t.Setenv(envAddress, "127.0.0.5")
		d := start(t, program)
		require.True(t, listens(d.port, "127.0.0.5"))
		require.False(t, listens(d.port, "127.0.0.4"))
	})
}

// TestDebug: -d logs each request on standard error.
func TestDebug(t *testing.T) {
	d := start(t, program, "-d")
	r, err := d.client().Register(context.Background(), node("noisy", 4711))
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.NoError(t, d.client().Kill(context.Background()))
	d.exit(t)
	require.Regexp(t, `epmd: \w+ \w+ [ \d]\d \d\d:\d\d:\d\d \d{4}: ALIVE2_REQ .*name=noisy`, d.Stderr.String())
}

// TestMuteDaemon: no command waits for ever for a daemon that takes connections and says
// nothing.
func TestMuteDaemon(t *testing.T) {
	t.Parallel()
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mute.Close()) })
	port := strconv.Itoa(mute.Addr().(*net.TCPAddr).Port)
	for words, want := range map[string]result{
		"-names":                  {Status: 1, Stdout: "epmd: no response from local epmd\n"},
		"-multi_transport -names": {Status: 1, Stdout: "epmd: no response from local epmd\n"},
		"-dump":                   {Status: 1, Stdout: "epmd: no response from local epmd\n"},
		"-started":                {Status: 1},
		"-kill":                   {Status: 1, Stdout: "epmd: local epmd responded with <>\n"},
		"-stop x":                 {Status: 1, Stdout: "epmd: local epmd responded with <>\n"},
	} {
		t.Run(words, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			require.Equal(t, want, call(t, program, append([]string{"-port", port}, strings.Fields(words)...)...))
			require.GreaterOrEqual(t, time.Since(begun), answerPatience)
		})
	}
}
