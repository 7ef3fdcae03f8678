package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// get asks a daemon's -http for a path.
func get(t *testing.T, address, path string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	require.NoError(t, err)
	resp, err := new(http.Transport).RoundTrip(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

// TestHTTP: the daemon shows itself where it is told to, as soon as it answers.
func TestHTTP(t *testing.T) {
	port := freePort(t)
	for name, value := range map[string]string{
		"port":    strconv.Itoa(port),
		"address": fmt.Sprintf("127.0.0.1:%d", port),
		"name":    fmt.Sprintf("localhost:%d", port),
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, program, "-http", value)
			r, err := d.client().Register(t.Context(), node("seen", 4711))
			require.NoError(t, err)
			address := fmt.Sprintf("localhost:%d", port)
			for _, path := range []string{"/healthz", "/readyz"} {
				status, body := get(t, address, path)
				require.Equal(t, 200, status)
				require.Equal(t, "ok\n", body)
			}
			_, nodes := get(t, address, "/nodes")
			require.Contains(t, nodes, `"name":"seen"`)
			_, metrics := get(t, address, "/metrics")
			require.Contains(t, metrics, "epmd_nodes 1\n")
			require.Regexp(t, `epmd_request_duration_seconds_count [1-9]`, metrics)
			_, page := get(t, address, "/")
			require.Contains(t, page, "<title>EPMD</title>")
			require.NoError(t, r.Close())

			require.NoError(t, d.Signal(syscall.SIGTERM))
			d.exit(t)
			require.Empty(t, d.Stderr.String())
			ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			require.NoError(t, err, "the address is free")
			require.NoError(t, ln.Close())
		})
	}
}

// TestHTTPEndsWithOpenPages: a page that is open does not hold the daemon up.
func TestHTTPEndsWithOpenPages(t *testing.T) {
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	d := start(t, program, "-http", address)
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
	_, err = io.ReadAtLeast(c, make([]byte, 1<<10), 1)
	require.NoError(t, err)
	require.NoError(t, d.client().Kill(t.Context()))
	require.Zero(t, d.exit(t))
}

// TestHTTPConns: who looks on cannot take all descriptors from the nodes, and there is room
// when somebody goes.
func TestHTTPConns(t *testing.T) {
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	start(t, program, "-http", address)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() }) // it may be closed
		require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
		return c
	}
	asks := func(c net.Conn) bool {
		_, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if err != nil {
			return false
		}
		n, _ := io.ReadAtLeast(c, make([]byte, 1<<10), 1)
		return n > 0
	}
	var conns []net.Conn
	for range httpConns {
		c := dial()
		require.True(t, asks(c))
		conns = append(conns, c)
	}
	require.False(t, asks(dial()))
	require.False(t, asks(dial()), "those that are closed are not counted, nor forgotten")
	require.True(t, asks(conns[7]))
	require.NoError(t, conns[7].Close())
	require.Eventually(t, func() bool { return asks(dial()) }, patience, time.Millisecond)
}

// TestHTTPCannotListen: an address that is taken, or is none, ends the daemon before it
// is ready, with status 1 and what to do; without the flag nothing listens there.
func TestHTTPCannotListen(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	for _, address := range []string{ln.Addr().String(), "127.0.0.1:nonsense", "192.0.2.1:80"} {
		port := strconv.Itoa(freePort(t))
		got := call(t, program, "-port", port, "-http", address)
		require.Equal(t, 1, got.Status, address)
		require.Regexp(t, `^epmd: .*: cannot listen for -http: .*; choose another address, or leave -http out`+"\n$", got.Stderr)
		got = call(t, program, "-port", port, "-started")
		require.Equal(t, 1, got.Status, "it has not begun to serve")
	}
	require.Equal(t, result{Status: 1, Stderr: usage}, call(t, program, "-http"))
	require.Equal(t, result{Status: 1, Stderr: usage}, call(t, program, "-http", ""))
}

// TestHTTPSecond: who comes second finds an epmd that runs, and does not complain that
// its page's address is taken too.
func TestHTTPSecond(t *testing.T) {
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	d := start(t, program, "-http", address)
	require.Equal(t, result{}, call(t, program, "-port", strconv.Itoa(d.port), "-http", address))
}

// TestHTTPOpen: a page that everybody can reach is worth a warning.
func TestHTTPOpen(t *testing.T) {
	address := fmt.Sprintf("0.0.0.0:%d", freePort(t))
	d := start(t, program, "-http", address)
	status, _ := get(t, strings.Replace(address, "0.0.0.0", "127.0.0.1", 1), "/healthz")
	require.Equal(t, 200, status)
	require.NoError(t, d.client().Kill(t.Context()))
	d.exit(t)
	require.Contains(t, d.Stderr.String(), "the status page is open to everybody who reaches it")
}
