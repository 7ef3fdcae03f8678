package testbed_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/testbed"
)

// asDaemon makes this test program a daemon, which does what it says.
const asDaemon = "TESTBED_DAEMON"

func TestMain(m *testing.M) {
	if how := os.Getenv(asDaemon); how != "" {
		os.Exit(serve(how, os.Args[len(os.Args)-1]))
	}
	os.Exit(m.Run())
}

// serve is a daemon on a port that answers each connection, or ends at once.
func serve(how, port string) int {
	fmt.Println("this is standard output")
	fmt.Fprintln(os.Stderr, "ERL_EPMD_PORT is", os.Getenv("ERL_EPMD_PORT"))
	var status int
	if n, _ := fmt.Sscanf(how, "ends %d", &status); n == 1 {
		return status
	}
	ln, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return 0 // as an EPMD does whose port is taken
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			return 1
		}
		_, _ = c.Read(make([]byte, 64)) // else the end would be a reset
		if how == "answers" {
			_, _ = c.Write([]byte("w\x01"))
		}
		_ = c.Close()
	}
}

func daemon(how string) func(uint16) *exec.Cmd {
	return func(port uint16) *exec.Cmd {
		cmd := testbed.Command(os.Args[0], fmt.Sprint(port))
		cmd.Env = append(cmd.Env, asDaemon+"="+how)
		return cmd
	}
}

// TestStart: a daemon is there when it answers, or closes in place of an answer; what it
// said can be read, and its end seen.
func TestStart(t *testing.T) {
	t.Setenv("ERL_EPMD_PORT", "1")
	for _, how := range []string{"answers", "closes"} {
		p, err := testbed.Start(t.Context(), daemon(how))
		require.NoError(t, err)
		_, err = testbed.Ask(t.Context(), testbed.Loopback(p.Port), []byte("n"))
		require.NoError(t, err)
		require.Equal(t, "this is standard output\n", p.Stdout.String())
		require.Equal(t, "ERL_EPMD_PORT is \n", p.Stderr.String())
		require.EqualValues(t, len(p.Stderr.String()), p.Stderr.Written())
		require.Empty(t, p.Died())
		require.Nil(t, p.State())
		soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = p.Exit(soon)
		require.ErrorContains(t, err, "does not end")
		p.Stop()
		p.Stop()
		require.Equal(t, "signal: killed", p.Died())
		status, err := p.Exit(t.Context())
		require.NoError(t, err)
		require.Equal(t, -1, status)
		_, err = testbed.Ask(t.Context(), testbed.Loopback(p.Port), []byte("n"))
		require.ErrorIs(t, err, testbed.ErrRefused)
	}
}

// TestStartEnds: the end of a program that does not listen is told, at once unless its
// port may have been taken.
func TestStartEnds(t *testing.T) {
	for status, want := range map[int]int{0: 5, 3: 1} {
		tries := 0
		_, err := testbed.Start(t.Context(), func(port uint16) *exec.Cmd {
			tries++
			return daemon(fmt.Sprint("ends ", status))(port)
		})
		end := new(testbed.EndError)
		require.ErrorAs(t, err, &end)
		require.Equal(t, status, end.Status)
		require.ErrorContains(t, err, fmt.Sprintf("status %d instead of listening: this is standard output\nERL_EPMD_PORT is", status))
		require.Equal(t, want, tries)
	}
	_, err := testbed.Start(t.Context(), func(uint16) *exec.Cmd { return testbed.Command("/nonexistent/epmd") })
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestStartGivesUp: the end of the context ends the start, and the program.
func TestStartGivesUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	cmd := testbed.Command("sleep", "600")
	port, err := testbed.FreePort()
	require.NoError(t, err)
	_, err = testbed.StartOn(ctx, port, cmd)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotNil(t, cmd.ProcessState, "it has ended")
}

// TestRun: a command's output and status are told, and one that does not end is an error.
func TestRun(t *testing.T) {
	r, err := testbed.Run(t.Context(), testbed.CommandWithFiles(50, "sh", "-c", "ulimit -n; echo bad >&2; exit 3"))
	require.NoError(t, err)
	require.Equal(t, testbed.Result{Status: 3, Stdout: "50\n", Stderr: "bad\n"}, r)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = testbed.Run(ctx, testbed.Command("sleep", "600"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "does not end")
	_, err = testbed.Run(t.Context(), testbed.Command("/nonexistent"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestOutputKeepsTheEnd: what is written without end takes no more memory, and is counted.
func TestOutputKeepsTheEnd(t *testing.T) {
	var o testbed.Output
	line := strings.Repeat("x", 999) + "\n"
	for range 10_000 {
		_, err := o.Write([]byte(line))
		require.NoError(t, err)
	}
	_, err := o.Write([]byte("last\n"))
	require.NoError(t, err)
	require.EqualValues(t, 10_000_005, o.Written())
	require.True(t, strings.HasSuffix(o.String(), line+"last\n"))
	require.Less(t, len(o.String()), 3<<20)
}
