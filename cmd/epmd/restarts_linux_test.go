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
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/internal/testbed"
)

// restartsEnv is how often TestRestarts starts each node, with the time that a holder has by
// default: on a machine that does little else. Of 8,000 starts OTP's own epmd refuses 1 to
// 11. Unless it is set, the time is so long that no other load matters.
const restartsEnv = "GOEPMD_RESTARTS"

// TestRestarts: a real node that stops and starts again at once, beside lookups, is never
// refused.
func TestRestarts(t *testing.T) {
	otptest.Erl(t)
	n, grace := 300, 2*time.Second
	if v := os.Getenv(restartsEnv); v != "" {
		var err error
		n, err = strconv.Atoi(v)
		require.NoError(t, err)
		grace = epmd.DefaultTakenGrace
	}
	flags := []string{"-taken_grace", strconv.FormatInt(grace.Milliseconds(), 10)}
	for name, serve := range map[string]func(*testing.T) (port int){
		"epoll": func(t *testing.T) int { return start(t, program, flags...).port },
		"portable": func(t *testing.T) int {
			return embed(t, &epmd.Server{Engine: epmd.EnginePortable, TakenGrace: grace}, func(ln net.Listener) net.Listener { return ln })
		},
		"wrapped": func(t *testing.T) int {
			return embed(t, &epmd.Server{TakenGrace: grace}, func(ln net.Listener) net.Listener { return disguised{ln} })
		},
		"sockets of systemd": func(t *testing.T) int { return startActivated(t, flags) },
		"upgrades":           func(t *testing.T) int { return startUpgrading(t, flags) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := serve(t)
			ctx, stop := context.WithCancel(t.Context())
			looked := make(chan int)
			go func() {
				c := &epmd.Client{Addr: fmt.Sprintf("127.0.0.1:%d", port)}
				n := 0
				for ; ctx.Err() == nil; n++ {
					_, _ = c.Lookup(ctx, "restarts") // which may be between two lives
				}
				looked <- n
			}()
			refused, failed := restart(t, port, n)
			stop()
			t.Logf("%d starts beside %d lookups: %d refused, %d failed in the node itself", n, <-looked, refused, failed)
			require.Zero(t, refused)
			require.Less(t, failed, n/2)
		})
	}
}

// restart has a node start and stop so often, and says how often it was refused. On a busy
// machine a start may also fail since the node's own supervisor has not ended all of the life
// before: then it never came to ask.
func restart(t *testing.T, port, n int) (refused, failed int) {
	t.Helper()
	const script = `
		Restart = fun Go(0, Refused, Failed) -> {Refused, Failed};
			Go(N, Refused, Failed) ->
				case net_kernel:start(['restarts@127.0.0.1', longnames]) of
					{ok, _} -> ok = net_kernel:stop(), Go(N - 1, Refused, Failed);
					{error, {{shutdown, {failed_to_start_child, _, {already_started, _}}}, _}} ->
						net_kernel:stop(), Go(N - 1, Refused, Failed + 1);
					{error, _} -> Go(N - 1, Refused + 1, Failed)
				end
			end,
		{Refused, Failed} = Restart(%d, 0, 0), io:format("~p ~p", [Refused, Failed]), halt().`
	cmd := exec.Command(otptest.Erl(t), "-noshell", "-start_epmd", "false", "-setcookie", "x",
		"-kernel", "logger_level", "none", "-eval", fmt.Sprintf(script, n))
	cmd.Env = append(os.Environ(), fmt.Sprintf("ERL_EPMD_PORT=%d", port), "HOME="+t.TempDir(), "ERL_CRASH_DUMP_BYTES=0")
	r, err := testbed.Run(t.Context(), cmd)
	require.NoError(t, err)
	require.Zero(t, r.Status, r.Stderr)
	_, err = fmt.Sscan(r.Stdout, &refused, &failed)
	require.NoError(t, err, r.Stdout)
	return refused, failed
}

// embed serves in this process, on a listener that is changed.
func embed(t *testing.T, s *epmd.Server, change func(net.Listener) net.Listener) (port int) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(change(ln)) }()
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-ended, epmd.ErrServerClosed)
	})
	return ln.Addr().(*net.TCPAddr).Port
}

// disguised is a listener of which the server cannot tell whose it is, nor its connections.
type disguised struct{ net.Listener }

func (l disguised) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return struct{ net.Conn }{c}, err
}

// startActivated starts the daemon with a socket that it is passed, as systemd does.
func startActivated(t *testing.T, flags []string) (port int) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f, err := ln.(*net.TCPListener).File()
	require.NoError(t, err)
	port = ln.Addr().(*net.TCPAddr).Port
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`, program, "-systemd", "-port", strconv.Itoa(port))
	cmd.Args = append(cmd.Args, flags...)
	cmd.ExtraFiles = []*os.File{f}
	p, err := testbed.StartOn(t.Context(), uint16(port), cmd)
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	require.NoError(t, f.Close())
	require.NoError(t, ln.Close())
	return port
}

// startUpgrading starts a daemon that is upgraded again and again while the test runs.
func startUpgrading(t *testing.T, flags []string) (port int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "epmd")
	install(t, path, program)
	d := start(t, path, flags...)
	endLater(t, d.port)
	stop, ended := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				ended <- n
				return
			case <-time.After(100 * time.Millisecond): // so that nodes start in between
			}
			r, err := testbed.Run(context.WithoutCancel(t.Context()), exec.Command(path, "-port", strconv.Itoa(d.port), "-upgrade"))
			if err != nil || r.Status != 0 {
				t.Errorf("the upgrade fails: %v %s", err, strings.TrimSpace(r.Stderr))
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		n := <-ended
		t.Logf("%d upgrades", n)
		require.Positive(t, n)
	})
	return d.port
}
