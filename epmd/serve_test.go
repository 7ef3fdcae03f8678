package epmd_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
)

// closedListener is one that is closed already.
func closedListener(t *testing.T) net.Listener {
	t.Helper()
	ln := listener(t)
	require.NoError(t, ln.Close())
	return ln
}

// TestServeFails: a Serve that cannot begin closes its own listeners and returns. The
// server, the registrations, and every other Serve go on.
func TestServeFails(t *testing.T) { onEngines(t, testServeFails) }

func testServeFails(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	c, _ := s.register(t, "foo")
	for range 3 {
		fine := listener(t)
		require.ErrorIs(t, s.Serve(fine, closedListener(t)), net.ErrClosed)
		_, err := fine.Accept()
		require.ErrorIs(t, err, net.ErrClosed, "it belonged to the Serve that failed")
		_, err = net.Dial("tcp", fine.Addr().String())
		require.Error(t, err)
	}
	s.requireOpen(t, c)
	require.Equal(t, []string{"foo"}, s.names())
	require.Len(t, s.Addrs(), 1)

	second := runOn(t, s.Server, listener(t))
	_, resp := second.register(t, "foo")
	require.EqualValues(t, 1, resp.Result, "it is the same server")
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.end(t), epmd.ErrServerClosed)
	require.ErrorIs(t, second.end(t), epmd.ErrServerClosed)
}

// TestFirstServeFails: then nothing of the server runs or is open, and it can be served.
func TestFirstServeFails(t *testing.T) { onEngines(t, testFirstServeFails) }

func testFirstServeFails(t *testing.T, engine epmd.Engine) {
	s := &epmd.Server{Engine: engine}
	_, release, err := s.RegisterLocal(node("local", 1))
	require.NoError(t, err)
	defer release()
	open := openFiles(t)
	for range 3 {
		require.ErrorIs(t, s.Serve(closedListener(t)), net.ErrClosed)
		require.Equal(t, open, openFiles(t))
	}
	r := run(t, s)
	_, resp := r.register(t, "foo")
	require.Zero(t, resp.Result)
	require.Equal(t, []string{"foo", "local"}, r.names())
}

// brokenListener is a listener whose Accept takes its results from a test: an error, or nil
// for a connection that is closed already.
type brokenListener struct {
	*pipeListener
	results chan error
}

func newBrokenListener() *brokenListener {
	return &brokenListener{newPipeListener(), make(chan error)}
}

func (l *brokenListener) Accept() (net.Conn, error) {
	select {
	case err := <-l.results:
		if err != nil {
			return nil, err
		}
		ours, theirs := net.Pipe()
		return theirs, ours.Close()
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// TestListenerFails: a listener that fails for good is closed, and the others go on, of
// the same Serve too. A Serve returns when all its listeners have failed. The server ends
// with the last listener.
func TestListenerFails(t *testing.T) {
	log := new(syncBuffer)
	s := &epmd.Server{ExitIdle: time.Millisecond, Logger: slog.New(slog.NewTextHandler(log, nil))}
	_, release, err := s.RegisterLocal(node("local", 1)) // it is not idle
	require.NoError(t, err)
	first, second, alone := newBrokenListener(), newBrokenListener(), newBrokenListener()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(first, second) }()
	require.Eventually(t, func() bool { return len(s.Addrs()) == 2 }, patience, tick)
	other := runOn(t, s, alone)
	good := run(t, s)
	c, _ := good.register(t, "foo")

	first.results <- errors.New("the first is broken")
	<-first.closed
	require.Eventually(t, func() bool { return len(s.Addrs()) == 3 }, patience, tick)
	require.Contains(t, log.String(), "the first is broken")
	broken := errors.New("the second is broken")
	second.results <- broken
	require.ErrorIs(t, <-ended, broken)
	good.requireOpen(t, c)

	alone.results <- io.ErrUnexpectedEOF
	require.ErrorIs(t, other.end(t), io.ErrUnexpectedEOF)
	good.requireOpen(t, c)
	require.Equal(t, []string{"foo", "local"}, good.names())
	require.NoError(t, c.Close())
	release()
	require.ErrorIs(t, good.end(t), epmd.ErrIdle, "what counts the time has not ended with the Serves")

	last := newBrokenListener()
	s = &epmd.Server{}
	r := runOn(t, s, last)
	last.results <- broken
	require.ErrorIs(t, r.end(t), broken)
	require.ErrorIs(t, s.Serve(listener(t)), broken, "the server has ended")
}

// temporary is an error of a listener that goes on, such as one for a client's bad header.
type temporary struct{ error }

func (temporary) Timeout() bool   { return false }
func (temporary) Temporary() bool { return true }

// TestTemporaryErrors: what a listener calls temporary is counted, logged, and tried again
// after 5 ms, twice as long after each failure in a row, and at most a second. Nobody is
// closed for it.
func TestTemporaryErrors(t *testing.T) {
	log := new(syncBuffer)
	s := &epmd.Server{Engine: epmd.EnginePortable, Logger: slog.New(slog.NewTextHandler(log, nil))}
	inNoTime(t, s, func(t *testing.T, r *running, first *pipeListener) {
		silent := first.connect(t)
		second := newBrokenListener()
		other := runOn(t, s, second)
		for range 2 {
			wait := time.Duration(0)
			for range 12 {
				begun := time.Now()
				second.results <- temporary{errors.New("a bad header")}
				require.Equal(t, wait, time.Since(begun))
				wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			}
			second.results <- nil // a connection ends the row
		}
		require.EqualValues(t, 24, s.Stats().AcceptErrors)
		require.Contains(t, log.String(), "a bad header")
		_, err := silent.Write([]byte("\x00\x01n"))
		require.NoError(t, err)
		require.NotEmpty(t, requireClosed(t, silent), "it was not closed to make room")
		require.NoError(t, s.Close())
		require.ErrorIs(t, r.end(t), epmd.ErrServerClosed)
		require.ErrorIs(t, other.end(t), epmd.ErrServerClosed)
	})
}

// kept is what somebody kept of a server that has ended: the name, and the connection of
// its node, whose other end the test has.
func kept(t *testing.T, engine epmd.Engine) (epmd.Held, net.Conn) {
	t.Helper()
	needFiles(t)
	s := run(t, &epmd.Server{Engine: engine, ConnsKept: true})
	c, _ := s.register(t, "foo")
	left := epmd.Held{Names: s.View().Snapshot(), Conns: map[registry.Owner]*os.File{}}
	o := left.Names.Nodes[0].Owner
	f, err := s.File(o)
	require.NoError(t, err)
	require.NotNil(t, f)
	left.Conns[o] = f
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.end(t), epmd.ErrServerClosed)
	return left, c
}

// TestRestoreThenClose: nodes whose connections were given to Restore see the end, also if
// no Serve has succeeded, or none was tried.
func TestRestoreThenClose(t *testing.T) { onEngines(t, testRestoreThenClose) }

func testRestoreThenClose(t *testing.T, engine epmd.Engine) {
	for name, end := range map[string]func(*epmd.Server) error{
		"close":    (*epmd.Server).Close,
		"shutdown": func(s *epmd.Server) error { return s.Shutdown(ctx(t)) },
		"a failed serve": func(s *epmd.Server) error {
			require.ErrorIs(t, s.Serve(closedListener(t)), net.ErrClosed)
			return s.Close()
		},
		"no listener": func(s *epmd.Server) error {
			require.ErrorContains(t, s.Serve(), "no listener")
			return s.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			left, c := kept(t, engine)
			s := &epmd.Server{Engine: engine}
			open := openFiles(t)
			require.NoError(t, s.Restore(left))
			require.Equal(t, 1, s.View().Len())
			require.NoError(t, end(s))
			require.Empty(t, requireClosed(t, c))
			require.Zero(t, s.View().Len())
			require.Equal(t, max(open-1, 0), openFiles(t))
		})
	}
	t.Run("too late", func(t *testing.T) {
		left, c := kept(t, engine)
		s := &epmd.Server{Engine: engine}
		require.NoError(t, s.Close())
		require.ErrorIs(t, s.Restore(left), epmd.ErrServerClosed)
		require.Empty(t, requireClosed(t, c))
	})
	t.Run("in use", func(t *testing.T) {
		left, c := kept(t, engine)
		s := run(t, &epmd.Server{Engine: engine})
		require.Eventually(t, func() bool { return len(s.Addrs()) == 1 }, patience, tick)
		require.ErrorIs(t, s.Restore(left), registry.ErrUsed)
		require.Empty(t, requireClosed(t, c))
		require.Empty(t, s.names())
	})
}

// TestRestoreThenFailedServe: a Serve that fails loses nothing of what Restore was given,
// and the next one serves it.
func TestRestoreThenFailedServe(t *testing.T) { onEngines(t, testRestoreThenFailedServe) }

func testRestoreThenFailedServe(t *testing.T, engine epmd.Engine) {
	left, c := kept(t, engine)
	s := &epmd.Server{Engine: engine}
	require.NoError(t, s.Restore(left))
	require.ErrorIs(t, s.Serve(closedListener(t)), net.ErrClosed)
	require.Error(t, s.Serve())
	r := run(t, s)
	r.requireOpen(t, c)
	require.Equal(t, []string{"foo"}, r.names())
	require.NoError(t, c.Close())
	require.Eventually(t, func() bool { return len(r.names()) == 0 }, patience, tick)
}
