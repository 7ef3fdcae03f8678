package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/wire"
)

// activated is a daemon that is started with sockets as systemd does.
type activated struct {
	cmd    *exec.Cmd
	stderr *os.File // its successors have it too
}

// activate starts a program with listeners, which it closes.
func activate(t *testing.T, path string, flags []string, lns ...net.Listener) *activated {
	t.Helper()
	d := new(activated)
	var err error
	d.stderr, err = os.Create(filepath.Join(t.TempDir(), "stderr"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.stderr.Close()) })
	script := fmt.Sprintf(`LISTEN_PID=$$ LISTEN_FDS=%d exec "$0" -systemd "$@"`, len(lns))
	d.cmd = exec.Command("sh", append([]string{"-c", script, path}, flags...)...)
	d.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+deafSystemd(t))
	d.cmd.Stderr = d.stderr
	for _, ln := range lns {
		f, err := ln.(interface{ File() (*os.File, error) }).File()
		require.NoError(t, err)
		d.cmd.ExtraFiles = append(d.cmd.ExtraFiles, f)
		if u, ok := ln.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false)
		}
		require.NoError(t, ln.Close())
	}
	require.NoError(t, d.cmd.Start())
	for _, f := range d.cmd.ExtraFiles {
		require.NoError(t, f.Close())
	}
	t.Cleanup(func() { _ = d.cmd.Process.Kill() }) // it may have ended
	return d
}

// deafSystemd is a socket that takes what a daemon says to systemd.
func deafSystemd(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	go func() {
		for b := make([]byte, 4096); ; {
			if _, err := conn.Read(b); err != nil {
				return
			}
		}
	}()
	return path
}

func listen(t *testing.T) (net.Listener, int) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return ln, ln.Addr().(*net.TCPAddr).Port
}

func clientOf(port int) *epmd.Client {
	return &epmd.Client{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
}

// toldPort is the port that a list of names tells.
func toldPort(t *testing.T, c *epmd.Client) int {
	t.Helper()
	names, err := c.Names(t.Context())
	require.NoError(t, err)
	return int(names.Port)
}

// TestPassedPortOfOTP: OTP's tells the port that it was told, whatever the socket's is.
func TestPassedPortOfOTP(t *testing.T) {
	ln, port := listen(t)
	other := freePort(t)
	d := activate(t, otptest.Epmd(t), []string{"-port", strconv.Itoa(other)}, ln)
	require.Equal(t, other, toldPort(t, clientOf(port)))
	require.NoError(t, clientOf(port).Kill(t.Context()))
	require.NoError(t, d.cmd.Wait())
}

// TestPassedPort: the port of the socket is told, and the daemon is asked by it to upgrade
// itself, by all sockets alike; a port that was set and not passed is warned of.
func TestPassedPort(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "epmd")
	install(t, path, program)
	for name, tt := range map[string]struct {
		flags func(one, two int) []string
		want  func(one, two int) int
		warns bool
	}{
		"no setting":       {func(int, int) []string { return nil }, func(one, _ int) int { return one }, false},
		"the first":        {func(one, _ int) []string { return []string{"-port", strconv.Itoa(one)} }, func(one, _ int) int { return one }, false},
		"the second":       {func(_, two int) []string { return []string{"-port", strconv.Itoa(two)} }, func(_, two int) int { return two }, false},
		"none":             {func(int, int) []string { return []string{"-port", "9"} }, func(one, _ int) int { return one }, true},
		"another address":  {func(int, int) []string { return []string{"-address", "127.0.0.9"} }, func(one, _ int) int { return one }, true},
		"the same address": {func(int, int) []string { return []string{"-address", "127.0.0.1"} }, func(one, _ int) int { return one }, false},
	} {
		t.Run(name, func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "socket")
			unix, err := net.Listen("unix", socket)
			require.NoError(t, err)
			first, one := listen(t)
			second, two := listen(t)
			d := activate(t, path, tt.flags(one, two), unix, first, second)
			want := tt.want(one, two)
			endLater(t, want)
			require.Equal(t, want, toldPort(t, clientOf(one)))
			require.Equal(t, want, toldPort(t, clientOf(two)))

			c, err := net.Dial("unix", socket)
			require.NoError(t, err)
			_, err = c.Write([]byte{0, 1, byte(wire.TagNamesReq)})
			require.NoError(t, err)
			answer, err := io.ReadAll(c)
			require.NoError(t, err)
			require.Equal(t, []byte{0, 0, byte(want >> 8), byte(want)}, answer)

			// The daemon listens before it can be asked.
			require.Eventually(t, func() bool {
				return call(t, path, "-port", strconv.Itoa(want), "-upgrade").Status == 0
			}, patience, 10*time.Millisecond)
			require.NoError(t, d.cmd.Wait())
			require.Equal(t, want, toldPort(t, clientOf(two)), "the next one tells the same")
			require.Equal(t, 0, call(t, path, "-port", strconv.Itoa(want), "-upgrade").Status)
			said, err := os.ReadFile(d.stderr.Name())
			require.NoError(t, err)
			require.Equal(t, tt.warns, len(said) > 0, "%s", said)
			require.Equal(t, tt.warns, bytes.Contains(said, []byte("systemctl edit")), "%s", said)
		})
	}
}
