package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmdtest"
	"github.com/goepmd/goepmd/wire"
)

// goWords are those of Go and of libraries, of which no user knows.
var goWords = regexp.MustCompile(`strconv|syscall|context|deadline|\bdial\b|i/o timeout|lookup \S+(:| on )|\bEOF\b|pars(e|ing)|syntax|unmarshal|u?int(8|16|32|64)|\bnil\b|epmd: |[A-Z_0-9]+_RE(Q|SP)|%!`)

// peer listens, and does something with each connection.
func peer(t *testing.T, do func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return // closed by the test's end
			}
			t.Cleanup(func() { _ = c.Close() })
			go do(c)
		}
	}()
	return ln.Addr().String()
}

// TestErrors: whatever a user does wrong, or meets, is one line in a user's words, with the
// status that the documentation promises.
func TestErrors(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("alpha", 1)
	live := s.Addr
	dead := "127.0.0.1:" + strconv.Itoa(freePort(t))
	silent := peer(t, func(net.Conn) {})
	web := peer(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 512))
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") // the client sees what came
		_ = c.Close()
	})
	hasty := peer(t, func(c net.Conn) { _ = c.Close() })
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		// Command lines that cannot be read.
		{"frob", 2, `no command "frob"; epmdctl -help`},
		{"nods", 2, `did you mean nodes?`},
		{"pin", 2, `did you mean ping?`},
		{"lokup -o json alpha", 2, `did you mean lookup?`},
		{"help frob", 2, `no command "frob"`},
		{"nodes -frob", 2, "no flag -frob; see epmdctl nodes -help"},
		{"nodes --lnog", 2, "did you mean -long?"},
		{"nodes -timout 5s", 2, "did you mean -timeout?"},
		{"nodes -timeout", 2, "-timeout wants a value"},
		{"nodes -timeout soon", 2, "500ms, 5s, 1h30m"},
		{"nodes -timeout 5e3", 2, "500ms, 5s, 1h30m"},
		{"nodes -timeout 0", 2, "above zero"},
		{"nodes -timeout=-1s", 2, "below zero"},
		{"nodes -timeout 99999999999h", 2, "500ms, 5s, 1h30m"},
		{"nodes -interval 0 -watch", 2, "above zero"},
		{"nodes -long=perhaps", 2, "true or false"},
		{"nodes -output yaml", 2, "table, json"},
		{"nodes -output jso", 2, "did you mean json?"},
		{"nodes -port x", 2, "from 1 to 65535"},
		{"nodes -port 0", 2, "from 1 to 65535"},
		{"nodes -port 65536", 2, "from 1 to 65535"},
		{"nodes -port -5", 2, "from 1 to 65535"},
		{"nodes -host localhost:x", 2, "behind the colon stands a port"},
		{"nodes -host localhost:", 2, "behind the colon stands a port"},
		{"nodes -host localhost:99999", 2, "behind the colon stands a port"},
		{"nodes -host [::1", 2, "[::1]:4369"},
		{"nodes -host [::1]4369", 2, "[::1]:4369"},
		{"nodes -port 1 -host localhost:2", 2, "two ports"},
		{"nodes what", 2, "takes no argument"},
		{"lookup", 2, "NAME@HOST"},
		{"lookup a b", 2, "NAME@HOST"},
		{"lookup a@b@c", 2, "NAME@HOST"},
		{"lookup a@localhost:x", 2, "behind the colon stands a port"},
		{"stop", 2, "NAME@HOST"},
		{"register", 2, "NAME@HOST"},
		{"register -type 256 x", 2, "from 0 to 255"},
		{"register -node-port x x", 2, "from 0 to 65535"},
		{"register -for ever x", 2, "1h30m"},
		{"decode", 2, "hexadecimal"},
		{"decode 0g", 2, "'g' is no digit"},
		{"decode 012", 2, "two digits"},
		{"decode -reply alife2 00", 2, "did you mean alive2?"},
		{"completion", 2, "bash, zsh or fish"},
		{"completion tcsh", 2, "bash, zsh or fish"},
		{"doctor a b", 2, "NAME@HOST"},
		{"doctor -also-ports x a", 2, "no port"},
		{"doctor -cookie-file /nonexistent a", 2, "/nonexistent"},
		{"doctor a@localhost:x", 2, "behind the colon stands a port"},
		{"ping -count x", 3, "whole number from 0 on"},
		{"ping -count -1", 3, "whole number from 0 on"},
		{"ping what", 3, "takes no argument"},
		{"ping -host localhost:x", 3, "behind the colon stands a port"},

		// An EPMD that cannot be asked.
		{"nodes -host " + dead, 2, "connection refused"},
		{"lookup a@" + dead, 2, "connection refused"},
		{"stop a@" + dead, 2, "connection refused"},
		{"register a@" + dead, 2, "connection refused"},
		{"nodes -W 50ms -host " + silent, 2, "no answer within 50.0 ms"},
		{"lookup -W 50ms a@" + silent, 2, "no answer within 50.0 ms"},
		{"stop -W 50ms a@" + silent, 2, "no answer within 50.0 ms"},
		{"register -W 50ms a@" + silent, 2, "no answer within 50.0 ms"},
		{"nodes -host " + web, 2, "no EPMD"},
		{"lookup a@" + web, 2, "no EPMD"},
		{"register a@" + web, 2, "no EPMD"},
		{"nodes -host a..b", 2, `no host "a..b"`},
		{"lookup x@a..b:4369", 2, `no host "a..b"`},
		{"nodes -host 255.255.255.255", 2, "cannot be reached"},
		{"lookup " + long + "@" + live, 2, "the name is too long"},

		// Requests that are answered with no.
		{"lookup nobody@" + live, 1, "no such node"},
		{"lookup a@" + hasty, 1, "without an answer"},
		{"stop alpha@" + live, 1, "relaxed_command_check"},
		{"register alpha@" + live, 1, "the name is taken"},
		{"register " + long + "@" + live, 1, "longer than 255 characters"},
		{"register a@" + hasty, 1, "from its own machine"},
	} {
		t.Run(strings.ReplaceAll(c.args, "/", " "), func(t *testing.T) {
			code, out, errs := call(t, false, strings.Fields(c.args)...)
			require.Equal(t, c.code, code, errs)
			require.Contains(t, errs, c.want)
			require.Empty(t, out)
			require.Equal(t, 1, strings.Count(errs, "\n"), errs)
			require.NotRegexp(t, goWords, errs)
			require.True(t, strings.HasPrefix(errs, "epmdctl: "), errs)
		})
	}
	// ping tells it on its line, for monitoring.
	for _, at := range []string{dead, silent, web, "a..b"} {
		code, out, errs := call(t, false, "-host", at, "-W", "50ms", "ping")
		require.Equal(t, pingCritical, code)
		require.Empty(t, errs)
		require.Equal(t, 2, strings.Count(out, "\n"), out)
		require.NotRegexp(t, goWords, out)
	}
}

// TestEnvironment: a variable that holds no port is told, and -port goes before it.
func TestEnvironment(t *testing.T) {
	s := epmdtest.NewServer(t)
	t.Setenv(envPort, "many")
	code, _, errs := call(t, false, "nodes")
	require.Equal(t, cannotAsk, code)
	require.Contains(t, errs, `ERL_EPMD_PORT is "many"`)
	require.NotRegexp(t, goWords, errs)
	code, _, _ = call(t, false, "-port", strconv.Itoa(s.Port()), "nodes")
	require.Equal(t, good, code)
	code, _, _ = call(t, false, "help", "nodes")
	require.Equal(t, good, code)
}

// TestSaid: each way in which the network can fail has its words, of which those count
// that another address of the host could not mend.
func TestSaid(t *testing.T) {
	c := &epmd.Client{Addr: ":4369", Timeout: 5e9}
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	refused, unreachable := dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH))
	for want, err := range map[string]error{
		"this machine, port 4369: no answer within 5.00 s": fmt.Errorf("epmd: names: %w", context.DeadlineExceeded),
		"no answer within":              errors.Join(dial(os.ErrDeadlineExceeded), refused),
		"connection refused":            errors.Join(unreachable, refused),
		"cannot be reached":             unreachable,
		"interrupted":                   context.Canceled,
		`no host "h"`:                   dial(&net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}),
		`tell the address of "h"`:       dial(&net.DNSError{Err: "server misbehaving", Name: "h", IsTemporary: true}),
		"in the middle of the answer":   os.NewSyscallError("read", syscall.ECONNRESET),
		"too many open files":           dial(os.NewSyscallError("socket", syscall.EMFILE)),
		"the registration was lost":     fmt.Errorf("epmd: %q: %w: %w", "x", epmd.ErrLost, io.EOF),
		"the name is empty":             fmt.Errorf("epmd: look up: %w", &wire.Error{Message: wire.MessagePortPlease2Req, Field: wire.FieldName, Fault: wire.FaultEmpty}),
		"what answers there is no EPMD": fmt.Errorf("epmd: names: %w: 48: %w", epmd.ErrBadAnswer, &wire.Error{Fault: wire.FaultShort}),
	} {
		got := inWords(c, err)
		require.Contains(t, got.Error(), want)
		require.NotRegexp(t, goWords, got.Error())
		require.ErrorIs(t, got, err)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[string]string{
		"0s": "0 µs", "50us": "50 µs", "1ms": "1.00 ms", "1234us": "1.23 ms", "12340us": "12.3 ms", "999ms": "999 ms",
		"1s": "1.00 s", "59s": "59.0 s", "90s": "1m30s",
	} {
		parsed, err := time.ParseDuration(d)
		require.NoError(t, err)
		require.Equal(t, want, span(parsed))
	}
}

// TestHarmless: a name that somebody registered does not become an order to a shell.
func TestHarmless(t *testing.T) {
	for _, name := range []string{"rabbit", "a-1_b.c+d", "grüße", "名"} {
		require.True(t, harmless(name), name)
	}
	for _, name := range []string{"", "-rf", "$(reboot)", "a;b", "a b", "`x`", "a\nb", "a*", "~", "a'", `a"`, "a\\b", "a|b", "<files>", "a&"} {
		require.False(t, harmless(name), name)
	}
}

// TestCompleteNames: only names that are harmless are offered.
func TestCompleteNames(t *testing.T) {
	s := epmdtest.NewServer(t)
	for _, name := range []string{"alpha", "$(reboot)", "be ta", "-x", "gamma"} {
		s.Node(name, 1)
	}
	for _, command := range []string{"lookup", "stop", "doctor"} {
		code, out, errs := call(t, false, "-p", strconv.Itoa(s.Port()), command, "", "--generate-shell-completion")
		require.Equal(t, good, code, errs)
		require.Equal(t, "alpha\ngamma\n", out)
	}
}
