package epmd_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// patience is how long anything may take that should happen at once.
const patience = 20 * time.Second

// tick is how often a condition is looked at.
const tick = time.Millisecond

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// onEngines runs a test on each engine that the system has.
func onEngines(t *testing.T, f func(*testing.T, epmd.Engine)) {
	engines := []epmd.Engine{epmd.EnginePortable}
	if runtime.GOOS == "linux" {
		engines = append(engines, epmd.EngineEpoll)
	}
	for _, e := range engines {
		t.Run(e.String(), func(t *testing.T) { f(t, e) })
	}
}

// running is a server of this test on a loopback port.
type running struct {
	*epmd.Server
	addr  string
	ended chan error
}

// run serves on a free port of 127.0.0.1 until the test ends.
func run(tb testing.TB, s *epmd.Server) *running {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	return runOn(tb, s, ln)
}

func runOn(tb testing.TB, s *epmd.Server, ln net.Listener) *running {
	tb.Helper()
	r := &running{s, ln.Addr().String(), make(chan error, 1)}
	go func() { r.ended <- s.Serve(ln) }()
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return r
}

func (r *running) client() *epmd.Client { return &epmd.Client{Addr: r.addr} }

// end waits for Serve to return.
func (r *running) end(tb testing.TB) error {
	tb.Helper()
	select {
	case err := <-r.ended:
		return err
	case <-time.After(patience):
		require.Fail(tb, "the server does not end")
		return nil
	}
}

// dial connects, for as long as the test runs.
func (r *running) dial(tb testing.TB) net.Conn {
	tb.Helper()
	c, err := net.DialTimeout("tcp", r.addr, patience)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = c.Close() })
	require.NoError(tb, c.SetDeadline(time.Now().Add(patience)))
	return c
}

// register makes a registration by hand and leaves the connection open.
func (r *running) register(tb testing.TB, name string) (net.Conn, wire.Alive2Resp) {
	tb.Helper()
	c := r.dial(tb)
	packet, err := node(name, 1000).AppendAlive2Req(nil)
	require.NoError(tb, err)
	_, err = c.Write(packet)
	require.NoError(tb, err)
	answer := make([]byte, 6)
	_, err = io.ReadFull(c, answer)
	require.NoError(tb, err)
	resp, _, err := wire.ParseAlive2Resp(answer)
	require.NoError(tb, err)
	return c, resp
}

// node is a node as today's OTP would register it.
func node(name string, port uint16) wire.Node {
	return wire.Node{Name: name, Port: port, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}
}

// ctx is a context for what should happen at once.
func ctx(tb testing.TB) context.Context {
	tb.Helper()
	c, cancel := context.WithTimeout(context.Background(), patience)
	tb.Cleanup(cancel)
	return c
}

// requireClosed reads until the server closes the connection, and gives what
// came before. A reset is a close.
func requireClosed(tb testing.TB, c net.Conn) []byte {
	tb.Helper()
	b, err := io.ReadAll(c)
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) {
			require.False(tb, timeout.Timeout(), "the connection is still open")
		}
	}
	return b
}

// requireOpen gives the server a chance to close the connection, by a lookup on
// another that is answered after, and sees that it did not.
func (r *running) requireOpen(tb testing.TB, c net.Conn) {
	tb.Helper()
	_, err := r.client().Names(ctx(tb))
	require.NoError(tb, err)
	require.NoError(tb, c.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	_, err = c.Read(make([]byte, 1))
	var timeout net.Error
	require.ErrorAs(tb, err, &timeout)
	require.True(tb, timeout.Timeout(), "the connection is closed: %v", err)
	require.NoError(tb, c.SetReadDeadline(time.Now().Add(patience)))
}

func (r *running) names() []string {
	var out []string
	for _, e := range r.View().Snapshot().Nodes {
		out = append(out, e.Node.Name)
	}
	return out
}
