package epmdhttp

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
)

// oneConn is a listener for one connection in memory.
type oneConn struct {
	conn   chan net.Conn
	closed chan struct{}
	close  func()
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *oneConn) Close() error   { l.close(); return nil }
func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "pipe"} }

// TestSlowReaderIsCut: whoever does not read what it is told is cut, and its place is free.
func TestSlowReaderIsCut(t *testing.T) {
	for path, places := range map[string]func(*Handler) chan struct{}{
		"events": func(h *Handler) chan struct{} { return h.streams },
		"nodes":  func(h *Handler) chan struct{} { return h.documents },
	} {
		t.Run(path, func(t *testing.T) { testSlowReaderIsCut(t, path, places) })
	}
}

func testSlowReaderIsCut(t *testing.T, path string, places func(*Handler) chan struct{}) {
	h := New(new(epmd.Server), Options{MaxStreams: 1, Version: strings.Repeat("v", 1<<16)})
	h.writeTime, h.nodesTime = 50*time.Millisecond, 50*time.Millisecond
	closed := make(chan struct{})
	ln := &oneConn{make(chan net.Conn), closed, sync.OnceFunc(func() { close(closed) })}
	web := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(ln) }()
	ours, theirs := net.Pipe()
	ln.conn <- theirs
	_, err := io.WriteString(ours, "GET /"+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(places(h)) == 1 }, time.Minute, time.Millisecond, "it begins")
	require.Eventually(t, func() bool { return len(places(h)) == 0 }, time.Minute, time.Millisecond, "it is cut")
	_, err = io.ReadAll(ours)
	require.NoError(t, err)
	require.NoError(t, web.Close())
	require.ErrorIs(t, <-ended, http.ErrServerClosed)
	require.NoError(t, ours.Close())
}
