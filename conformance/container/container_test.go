package container

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ory/dockertest/v3/docker"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/internal/otpimages"
	"github.com/goepmd/goepmd/internal/otptest"
)

func TestMain(m *testing.M) {
	if os.Getenv(crashEnv) != "" {
		crash()
	}
	goleak.VerifyTestMain(m)
}

// missing skips a test, or fails it if OTP is required.
func missing(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("GOEPMD_REQUIRE_OTP") == "1" {
		tb.Fatalf("%s; GOEPMD_REQUIRE_OTP=1 makes that a failure", what)
	}
	tb.Skipf("SKIPPED: %s", what)
}

// engineFor is docker, for a test.
func engineFor(tb testing.TB) *engine {
	tb.Helper()
	otptest.Heavy(tb)
	e, err := open()
	if err != nil {
		missing(tb, err.Error())
	}
	return e
}

// otpImage is the image of an OTP.
func otpImage(tb testing.TB, name string) string {
	tb.Helper()
	engineFor(tb)
	ref, here, err := otpimages.Ref(tb.Context(), name)
	require.NoError(tb, err)
	if !here {
		missing(tb, "the image of OTP "+name+" is missing; to get it: go run ./docker/otp-images "+name)
	}
	return ref
}

// scratchImage is an image that holds nothing but our program. Its environment
// would keep a daemon from starting that takes it for its own.
func scratchImage(tb testing.TB) string {
	tb.Helper()
	e := engineFor(tb)
	dir := tb.TempDir()
	build := exec.CommandContext(tb.Context(), "go", "build", "-o", filepath.Join(dir, "epmd"), "../../cmd/epmd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(tb, err, "%s", out)
	const text = "FROM scratch\nCOPY epmd /\nENV ERL_EPMD_ADDRESS=nonsense\nENTRYPOINT [\"/epmd\"]\n"
	require.NoError(tb, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644))
	name := fmt.Sprintf("goepmd-container-test:%d", os.Getpid())
	require.NoError(tb, e.pool.Client.BuildImage(docker.BuildImageOptions{
		Context: tb.Context(), Name: name, ContextDir: dir, OutputStream: io.Discard, RmTmpContainer: true, ForceRmTmpContainer: true,
	}))
	tb.Cleanup(func() { require.NoError(tb, e.pool.Client.RemoveImage(name)) })
	return name
}

// target makes a target, and makes sure that its end leaves nothing.
func target(t *testing.T, image string, opts ...Option) *Target {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	x, err := New(t.Context(), "tested", image, opts...)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, x.Close())
		require.Empty(t, ours(t, os.Getpid()))
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
	})
	return x
}

// ours are the containers that a process has started.
func ours(t *testing.T, pid int) []docker.APIContainers {
	t.Helper()
	list, err := engineFor(t).pool.Client.ListContainers(docker.ListContainersOptions{
		All: true, Filters: map[string][]string{"label": {fmt.Sprintf("%s=%d", label, pid)}},
	})
	require.NoError(t, err)
	return list
}

func start(t *testing.T, x *Target, c conformance.Config) conformance.Daemon {
	t.Helper()
	d, err := x.Start(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// ask sends a request and gives what comes until the daemon closes, or as many bytes
// as are wanted.
func ask(t *testing.T, d conformance.Daemon, r conformance.Route, request string, want int) (conformance.Conn, string) {
	t.Helper()
	c, err := d.Dial(t.Context(), r)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	require.NoError(t, c.Send(fmt.Appendf([]byte{byte(len(request) >> 8), byte(len(request))}, "%s", request)))
	var got []byte
	state := conformance.StillOpen
	for begun := time.Now(); state == conformance.StillOpen && (want == 0 || len(got) < want); {
		got, state, err = c.Recv(got, time.Second)
		require.NoError(t, err)
		require.Less(t, time.Since(begun), patience, "the daemon does not answer")
	}
	return c, string(got)
}

const register = "x\x20\x00M\x00\x00\x06\x00\x05\x00\x01a\x00\x00"

func refused(t *testing.T, port uint16) {
	t.Helper()
	_, err := conformance.DialTCP(t.Context(), netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port), netip.Addr{})
	require.ErrorIs(t, err, conformance.ErrRefused)
}

// TestTarget plays all that the suite asks of a target, to each way of running
// programs.
func TestTarget(t *testing.T) {
	for _, kind := range []struct {
		name  string
		image func(testing.TB) string
		opts  []Option
		shell bool
	}{
		{"OTP, by its shell", func(tb testing.TB) string { return otpImage(tb, "25") }, nil, true},
		{"OTP, by exec", func(tb testing.TB) string { return otpImage(tb, "25") }, []Option{NoShell(), Program("/usr/bin/epmd")}, false},
		{"ours, without a shell", scratchImage, nil, false},
	} {
		t.Run(kind.name, func(t *testing.T) {
			x := target(t, kind.image(t), kind.opts...)
			require.Equal(t, "tested", x.Name())
			_, byShell := x.runner.(*launcher)
			require.Equal(t, kind.shell, byShell)

			t.Run("many at once", func(t *testing.T) { testMany(t, x) })
			t.Run("exit", func(t *testing.T) { testExit(t, x) })
			t.Run("never listens", func(t *testing.T) { testNeverListens(t, x) })
			t.Run("commands", func(t *testing.T) { testCommands(t, x) })
			t.Run("environment", func(t *testing.T) { testEnvironment(t, x) })
			t.Run("close", func(t *testing.T) { testClose(t, x) })
			t.Run("remote", func(t *testing.T) { testRemote(t, x) })
			if kind.opts != nil || kind.shell { // ours has numbers of its own
				t.Run("descriptors", func(t *testing.T) { testDescriptors(t, x) })
			}
			if kind.shell {
				t.Run("files", func(t *testing.T) { testFiles(t, x) })
			} else {
				_, err := x.Start(t.Context(), conformance.Config{Files: 64})
				require.ErrorIs(t, err, conformance.ErrUnsupported)
			}
		})
	}
}

func testMany(t *testing.T, x *Target) {
	var wg sync.WaitGroup
	daemons := make([]conformance.Daemon, 12)
	errs := make([]error, len(daemons))
	for i := range daemons {
		wg.Go(func() { daemons[i], errs[i] = x.Start(t.Context(), conformance.Config{}) })
	}
	wg.Wait()
	for i, d := range daemons {
		require.NoError(t, errs[i])
		c, err := d.Dial(t.Context(), conformance.Route{To: "::1"})
		require.NotErrorIs(t, err, conformance.ErrRefused, "it listens at each of its addresses")
		if err == nil {
			require.NoError(t, c.Close())
		} else {
			require.ErrorIs(t, err, conformance.ErrUnsupported)
		}
		_, list := ask(t, d, conformance.Route{}, "n", 0)
		require.Equal(t, fmt.Sprintf("\x00\x00%c%c", d.Port()>>8, d.Port()&255), latin(list))
	}
	for _, d := range daemons {
		wg.Go(func() { require.NoError(t, d.Close()) })
	}
	wg.Wait()
	for _, d := range daemons {
		refused(t, d.Port())
	}
}

// latin is the text whose characters are the bytes.
func latin(s string) string {
	var out strings.Builder
	for _, b := range []byte(s) {
		out.WriteRune(rune(b))
	}
	return out.String()
}

func testExit(t *testing.T, x *Target) {
	d := start(t, x, conformance.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := d.Exit(ctx)
	require.ErrorContains(t, err, "it goes on")
	_, answer := ask(t, d, conformance.Route{}, "k", 0)
	require.Equal(t, "OK", answer)
	status, err := d.Exit(t.Context())
	require.NoError(t, err)
	require.Zero(t, status)
	refused(t, d.Port())
}

func testNeverListens(t *testing.T, x *Target) {
	_, err := x.Start(t.Context(), conformance.Config{Flags: []string{"-it's no flag"}})
	end := new(conformance.ExitError)
	require.ErrorAs(t, err, &end)
	require.Equal(t, 1, end.Status)
	require.Contains(t, string(end.Stderr), "sage")
	require.Empty(t, end.Stdout)
}

func testCommands(t *testing.T, x *Target) {
	for _, byEnv := range []bool{false, true} {
		d := start(t, x, conformance.Config{PortByEnv: byEnv})
		ask(t, d, conformance.Route{}, register, 6)
		out, err := d.Command(t.Context(), conformance.Command{Args: []string{"-names"}})
		require.NoError(t, err)
		require.Equal(t, conformance.Output{
			Stdout: fmt.Appendf(nil, "epmd: up and running on port %d with data:\nname a at port 8192\n", d.Port()),
			Stderr: out.Stderr[:0],
		}, out)
		out, err = d.Command(t.Context(), conformance.Command{Args: []string{"-dump"}})
		require.NoError(t, err)
		require.Contains(t, string(out.Stdout), "\x00", "all bytes come through")
	}
	d := start(t, x, conformance.Config{})
	free, err := conformance.FreePort()
	require.NoError(t, err)
	out, err := d.Command(t.Context(), conformance.Command{
		Args: []string{"-names"}, Bare: true, Env: []string{fmt.Sprintf("ERL_EPMD_PORT=%d", free)},
	})
	require.NoError(t, err)
	require.Equal(t, 1, out.Status)
	require.Equal(t, "epmd: Cannot connect to local epmd\n", string(out.Stderr))
}

func testEnvironment(t *testing.T, x *Target) {
	d := start(t, x, conformance.Config{Env: []string{"ERL_EPMD_RELAXED_COMMAND_CHECK=it's\non"}})
	ask(t, d, conformance.Route{}, register, 6)
	_, answer := ask(t, d, conformance.Route{}, "k", 0)
	require.Equal(t, "OK", answer, "what the config says is set")
	_, err := d.Exit(t.Context())
	require.NoError(t, err)
}

func testClose(t *testing.T, x *Target) {
	d, err := x.Start(t.Context(), conformance.Config{})
	require.NoError(t, err)
	node, _ := ask(t, d, conformance.Route{}, register, 6)
	_, answer := ask(t, d, conformance.Route{}, "k", 0)
	require.Equal(t, "NO", answer, "it does not end by itself")
	if os.Geteuid() != 0 {
		require.NoError(t, node.Close()) // only root ends it by force where there is no shell
	}
	require.NoError(t, d.Close())
	refused(t, d.Port())
	require.NoError(t, d.Close())
}

func testRemote(t *testing.T, x *Target) {
	if _, err := conformance.Outside(false); err != nil {
		require.ErrorIs(t, err, conformance.ErrUnsupported)
		t.Skip("SKIPPED: " + err.Error())
	}
	d := start(t, x, conformance.Config{})
	remote := conformance.Route{From: conformance.OutsideIPv4}
	_, answer := ask(t, d, remote, register, 0)
	require.Empty(t, answer)
	_, answer = ask(t, d, remote, "n", 4)
	require.Len(t, answer, 4)
}

// testDescriptors: the daemon has no more open files than one that was started by hand:
// three streams and two listeners.
func testDescriptors(t *testing.T, x *Target) {
	d := start(t, x, conformance.Config{})
	ask(t, d, conformance.Route{}, register, 6)
	_, list := ask(t, d, conformance.Route{}, "d", 0)
	require.Regexp(t, `at port 8192, fd = [5-7]\n`, list)
}

func testFiles(t *testing.T, x *Target) {
	d := start(t, x, conformance.Config{Files: 64})
	for range 100 {
		c, err := d.Dial(t.Context(), conformance.Route{})
		if err != nil {
			break // it has ended already
		}
		t.Cleanup(func() { require.NoError(t, c.Close()) })
	}
	status, err := d.Exit(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, status, "OTP 25 ends when it has no more files")

	_, err = x.Start(t.Context(), conformance.Config{Files: math.MaxInt})
	require.ErrorIs(t, err, conformance.ErrUnsupported)
	_, err = x.Start(t.Context(), conformance.Config{Env: []string{"A-B=1"}})
	require.ErrorIs(t, err, conformance.ErrUnsupported)
}

// TestAnotherProgram: a program may be named, with arguments that come first.
func TestAnotherProgram(t *testing.T) {
	x := target(t, otpImage(t, "25"), Program("/usr/bin/epmd", "-relaxed_command_check"))
	d := start(t, x, conformance.Config{})
	ask(t, d, conformance.Route{}, register, 6)
	_, answer := ask(t, d, conformance.Route{}, "k", 0)
	require.Equal(t, "OK", answer)
}

func TestNewFails(t *testing.T) {
	engineFor(t)
	t.Setenv("TMPDIR", t.TempDir())
	_, err := New(t.Context(), "t", "goepmd-otp:none")
	require.ErrorContains(t, err, "go run ./docker/otp-images")
	image := scratchImage(t)
	_, err = New(t.Context(), "t", image, Program("/nowhere/epmd"))
	require.ErrorContains(t, err, "no program")
	_, err = New(t.Context(), "t", image, Program("/epmd", "-nonsense"))
	require.ErrorContains(t, err, "does not keep the container alive")
	require.Empty(t, ours(t, os.Getpid()))
	t.Setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
	_, err = New(t.Context(), "t", "goepmd-otp:none")
	require.ErrorContains(t, err, "docker does not answer")
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprint(left), "goepmd-conformance")
}
