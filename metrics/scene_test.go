package metrics_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// newScene starts a server that listens in memory, so that nothing that a client does
// not read disappears in a buffer.
func newScene(t *testing.T, m move) *scene {
	t.Helper()
	s := &scene{t: t, server: &epmd.Server{MeasureLatency: true}, listener: newTrap()}
	if m.server != nil {
		m.server(s.server)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.server.Serve(s.listener) }()
	t.Cleanup(func() {
		require.NoError(t, s.server.Close())
		require.ErrorIs(t, <-ended, epmd.ErrServerClosed)
	})
	s.client = &epmd.Client{DialContext: func(context.Context, string, string) (net.Conn, error) { return s.listener.dial() }}
	if m.alone {
		return s
	}
	s.here = s.register("here")
	require.Eventually(t, func() bool { return s.server.Stats().Registered == 1 }, patience, time.Millisecond)
	return s
}

func (s *scene) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s.t.Cleanup(cancel)
	return ctx
}

func (s *scene) register(name string) *epmd.Registration {
	s.t.Helper()
	r, err := s.client.Register(s.ctx(), wire.Node{Name: name, Port: 1, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = r.Close() }) // is always nil
	return r
}

// pipe opens a connection.
func (s *scene) pipe() net.Conn {
	s.t.Helper()
	c, err := s.listener.dial()
	require.NoError(s.t, err)
	if err := c.SetDeadline(time.Now().Add(patience)); !errors.Is(err, io.ErrClosedPipe) { // it may be cut off already
		require.NoError(s.t, err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// send sends what the server may take or not.
func (s *scene) send(c net.Conn, bytes string) {
	_, _ = io.WriteString(c, bytes) // it may close in the middle
}

// alive asks for a registration, waits for the answer, whatever it is, and leaves the
// connection open.
func (s *scene) alive(name, extra string) net.Conn {
	s.t.Helper()
	c := s.pipe()
	s.send(c, packet(s.t, name, extra))
	_, err := io.ReadFull(c, make([]byte, 6))
	require.NoError(s.t, err)
	return c
}

// alive3 adds a transport to the node "several", and waits for the answer.
func (s *scene) alive3(c net.Conn, transport string) {
	s.t.Helper()
	b, err := wire.Node{Name: "several", Port: 1, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5, Transport: transport}.AppendAlive3Req(nil)
	require.NoError(s.t, err)
	s.send(c, string(b))
	_, err = io.ReadFull(c, make([]byte, 8))
	require.NoError(s.t, err)
}

// packet is an ALIVE2_REQ for any name, right or wrong.
func packet(t *testing.T, name, extra string) string {
	t.Helper()
	req := wire.Alive2Req{Type: wire.NodeTypeNormal, Port: 1, Highest: 6, Lowest: 5, Name: []byte(name), Extra: []byte(extra)}
	b, err := req.Append(nil)
	require.NoError(t, err)
	return string(b)
}

func (s *scene) requireClosed(c net.Conn) {
	s.t.Helper()
	_, err := io.Copy(io.Discard, c)
	require.False(s.t, errors.Is(err, os.ErrDeadlineExceeded), "it is still open")
}

// trapListener is a listener in memory that can be made to fail.
type trapListener struct {
	conns  chan net.Conn
	errs   chan error
	closed chan struct{}
	close  func()
}

func newTrap() *trapListener {
	closed := make(chan struct{})
	return &trapListener{
		conns: make(chan net.Conn), errs: make(chan error),
		closed: closed, close: sync.OnceFunc(func() { close(closed) }),
	}
}

func (l *trapListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case err := <-l.errs:
		return nil, err
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *trapListener) Close() error   { l.close(); return nil }
func (l *trapListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "pipe"} }

func (l *trapListener) dial() (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, errors.Join(net.ErrClosed, ours.Close())
	}
}
