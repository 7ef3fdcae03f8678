package epmd_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestMaxConns: when the limit is reached, a newcomer takes the place of who
// holds no registration, the refused first; registered nodes stay.
func TestMaxConns(t *testing.T) { onEngines(t, testMaxConns) }

func testMaxConns(t *testing.T, engine epmd.Engine) {
	log := new(syncBuffer)
	s := run(t, &epmd.Server{Engine: engine, MaxConns: 3, MaxUnfinished: 3, Logger: slog.New(slog.NewTextHandler(log, nil))})
	registered, _ := s.register(t, "foo")
	refused, resp := s.register(t, "foo")
	require.EqualValues(t, 1, resp.Result)
	silent := s.dial(t)
	require.Eventually(t, func() bool { return s.Stats().Conns == 3 && s.Stats().Refused == 1 }, patience, tick)

	second, resp := s.register(t, "bar")
	require.Zero(t, resp.Result)
	require.Empty(t, requireClosed(t, refused))
	require.Equal(t, 1, s.Stats().Unfinished, "the silent one stays for now")

	third, resp := s.register(t, "baz")
	require.Zero(t, resp.Result)
	require.Empty(t, requireClosed(t, silent))

	require.Eventually(t, func() bool { return s.Stats().Registered == 3 }, patience, tick)
	turnedAway := s.dial(t)
	require.Empty(t, requireClosed(t, turnedAway))
	require.Equal(t, 3, s.View().Len())
	require.EqualValues(t, 3, s.Stats().LimitConns)
	require.Contains(t, log.String(), "limit=MaxConns")

	require.NoError(t, second.Close())
	require.Eventually(t, func() bool { return s.Stats().Conns == 2 }, patience, tick)
	_, err := s.client().Lookup(ctx(t), "foo")
	require.NoError(t, err, "there is room again")
	for _, c := range []net.Conn{registered, third} {
		s.requireOpen(t, c)
	}
}

// TestMaxUnfinished: silent connections do not lock anybody out.
func TestMaxUnfinished(t *testing.T) { onEngines(t, testMaxUnfinished) }

func testMaxUnfinished(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MaxUnfinished: 4})
	registered, _ := s.register(t, "foo")
	var silent []net.Conn
	for range 20 {
		silent = append(silent, s.dial(t))
	}
	_, resp := s.register(t, "bar")
	require.Zero(t, resp.Result)
	for _, c := range silent[:16] {
		require.Empty(t, requireClosed(t, c))
	}
	s.requireOpen(t, registered)
	require.GreaterOrEqual(t, s.Stats().LimitUnfinished, uint64(16))
	require.LessOrEqual(t, s.Stats().Unfinished, 4)
}

// TestNeverEvictedOnceRegistered lets many register at once where hardly one may be
// unfinished: some are turned away, but whoever is registered is told so, and
// stays.
func TestNeverEvictedOnceRegistered(t *testing.T) { onEngines(t, testNeverEvictedOnceRegistered) }

func testNeverEvictedOnceRegistered(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MaxUnfinished: 2})
	sub, _ := s.View().Subscribe(1 << 16)
	defer sub.Close()
	var wg sync.WaitGroup
	var told atomic.Int64
	for w := range 32 {
		wg.Go(func() {
			for i := range 20 {
				r, err := s.client().Register(ctx(t), node(fmt.Sprintf("w%d-%d", w, i), 1))
				if err == nil {
					told.Add(1)
					_ = r.Close()
				}
			}
		})
	}
	wg.Wait()
	require.Eventually(t, func() bool { return s.Stats().Conns == 0 }, patience, tick)
	registered := 0
	for len(sub.C) > 0 {
		e := <-sub.C
		switch e.Kind {
		case registry.Registered:
			registered++
		case registry.Unregistered:
			require.Equal(t, registry.ReasonClosed, e.Reason)
		case registry.Refused:
			require.Fail(t, "refused", "%v", e)
		}
	}
	require.EqualValues(t, told.Load(), registered)
	require.Positive(t, registered)
	if runtime.GOOS == "linux" { // elsewhere they may come one after the other
		require.Positive(t, s.Stats().LimitUnfinished, "the limit was met")
	}
}

// TestUnfinishedWithinTotal: that there is no room in total does not let more be
// unfinished than may.
func TestUnfinishedWithinTotal(t *testing.T) { onEngines(t, testUnfinishedWithinTotal) }

func testUnfinishedWithinTotal(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MaxConns: 8, MaxUnfinished: 2, MaxRefused: 6})
	s.register(t, "foo")
	for range 5 {
		s.register(t, "foo")
	}
	for range 10 {
		s.dial(t)
	}
	require.Eventually(t, func() bool { return s.Stats().Accepted == 16 }, patience, tick)
	st := s.Stats()
	require.LessOrEqual(t, st.Unfinished, 2)
	require.Equal(t, 1, st.Registered)
}

// TestLoggerMayAsk: a logger that asks the server for its figures, or is slow, does
// not stop it.
func TestLoggerMayAsk(t *testing.T) { onEngines(t, testLoggerMayAsk) }

func testLoggerMayAsk(t *testing.T, engine epmd.Engine) {
	s := &epmd.Server{Engine: engine, MaxUnfinished: 1}
	s.Logger = slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
		s.Stats()
		return len(p), nil
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	r := run(t, s)
	for range 5 {
		r.dial(t)
	}
	require.Eventually(t, func() bool { return s.Stats().LimitUnfinished == 4 }, patience, tick)
	_, err := r.client().Names(ctx(t))
	require.NoError(t, err)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestMaxRefused: refused connections are kept, but only so many.
func TestMaxRefused(t *testing.T) { onEngines(t, testMaxRefused) }

func testMaxRefused(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MaxRefused: 2})
	registered, _ := s.register(t, "foo")
	var refused []net.Conn
	for range 5 {
		c, resp := s.register(t, "foo")
		require.EqualValues(t, 1, resp.Result)
		refused = append(refused, c)
	}
	for _, c := range refused[:3] {
		require.Empty(t, requireClosed(t, c))
	}
	for _, c := range append(refused[3:], registered) {
		s.requireOpen(t, c)
	}
	require.EqualValues(t, 3, s.Stats().LimitRefused)
	require.Equal(t, 2, s.Stats().Refused)
}

// TestMaxConnsPerPeer: one address cannot take all the places; set by hand, the
// limit counts for loopback too.
func TestMaxConnsPerPeer(t *testing.T) { onEngines(t, testMaxConnsPerPeer) }

func testMaxConnsPerPeer(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MaxConnsPerPeer: 2})
	first := s.dialFrom(t, "127.0.0.2")
	s.dialFrom(t, "127.0.0.2")
	require.Eventually(t, func() bool { return s.Stats().Conns == 2 }, patience, tick)
	require.Empty(t, requireClosed(t, s.dialFrom(t, "127.0.0.2")))
	s.dialFrom(t, "127.0.0.3")
	require.Eventually(t, func() bool { return s.Stats().Conns == 3 }, patience, tick)
	require.EqualValues(t, 1, s.Stats().LimitPeer)
	require.NoError(t, first.Close())
	require.Eventually(t, func() bool { return s.Stats().Conns == 2 }, patience, tick)
	s.requireServed(t, s.dialFrom(t, "127.0.0.2"))
}

// dialFrom connects from an address, for as long as the test runs.
func (r *running) dialFrom(t *testing.T, ip string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}, Timeout: patience}
	c, err := d.Dial("tcp", r.addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return c
}

// stopsLoop gives a function that stops the loop of an epoll engine, for requests to
// arrive that it then finds whole, until the function that it returns is called.
func stopsLoop(s *epmd.Server) func(*testing.T, *running) (resume func()) {
	reached, resume := make(chan struct{}), make(chan struct{})
	s.OnRequest = func(r epmd.Request) {
		if r.Tag == wire.TagPortPlease2Req {
			reached <- struct{}{}
			<-resume
		}
	}
	return func(t *testing.T, r *running) func() {
		_, err := r.dial(t).Write([]byte("\x00\x02zx"))
		require.NoError(t, err)
		<-reached
		return func() { resume <- struct{}{} }
	}
}

// TestUnfinishedPerPeer: one peer cannot have all the unfinished connections, and so
// push out those of others. What the epoll engine can answer at once, it answers.
func TestUnfinishedPerPeer(t *testing.T) { onEngines(t, testUnfinishedPerPeer) }

func testUnfinishedPerPeer(t *testing.T, engine epmd.Engine) {
	server := &epmd.Server{Engine: engine, MaxConnsPerPeer: 100, MaxUnfinished: 8}
	stop := stopsLoop(server)
	s := run(t, server)
	other := s.dialFrom(t, "127.0.0.3")
	require.Eventually(t, func() bool { return s.Stats().Unfinished == 1 }, patience, tick)
	silent := []net.Conn{s.dialFrom(t, "127.0.0.2"), s.dialFrom(t, "127.0.0.2")}
	require.Eventually(t, func() bool { return s.Stats().Unfinished == 3 }, patience, tick)
	for range 20 {
		require.Empty(t, requireClosed(t, s.dialFrom(t, "127.0.0.2")))
	}
	require.Equal(t, 3, s.Stats().Unfinished)
	require.EqualValues(t, 20, s.Stats().LimitPeer)
	for _, c := range append(silent, other) {
		s.requireOpen(t, c)
	}
	if engine == epmd.EngineEpoll {
		resume := stop(t, s)
		c := s.dialFrom(t, "127.0.0.2")
		_, err := c.Write([]byte("\x00\x01n"))
		require.NoError(t, err)
		resume()
		require.Len(t, requireClosed(t, c), 4)
	}
	require.NoError(t, silent[0].Close())
	require.Eventually(t, func() bool { return s.Stats().Unfinished == 2 }, patience, tick)
	s.requireServed(t, s.dialFrom(t, "127.0.0.2"))
}

// TestAcceptErrors: a failure to accept for want of files passes; the server
// lives, makes room, and goes on. One that will not pass ends it.
func TestAcceptErrors(t *testing.T) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ln := &failingListener{Listener: tcp, errs: make(chan error, 10)}
	log := new(syncBuffer)
	s := runOn(t, &epmd.Server{Logger: slog.New(slog.NewTextHandler(log, nil))}, ln)
	registered, _ := s.register(t, "foo")
	silent := s.dial(t)
	require.Eventually(t, func() bool { return s.Stats().Unfinished == 1 }, patience, tick)
	for range 3 {
		ln.errs <- &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	_, resp := s.register(t, "bar") // wakes the listener, which then fails
	require.Zero(t, resp.Result)
	require.Eventually(t, func() bool { return s.Stats().AcceptErrors == 3 }, patience, tick)
	require.Empty(t, requireClosed(t, silent), "who holds no registration makes room")
	s.requireOpen(t, registered)
	require.Contains(t, log.String(), "raise the limit of open files")

	fatal := errors.New("the listener is broken")
	ln.errs <- fatal
	c, err := net.DialTimeout("tcp", s.addr, patience)
	require.NoError(t, err)
	defer c.Close()
	require.ErrorIs(t, s.end(t), fatal)
	require.Zero(t, s.View().Len())
}

// failingListener fails with the next of its errors after each accept, if
// there is one.
type failingListener struct {
	net.Listener
	errs chan error
	held net.Conn
}

func (l *failingListener) Accept() (net.Conn, error) {
	if l.held == nil {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		l.held = c
	}
	select {
	case err := <-l.errs:
		return nil, err
	default:
		c := l.held
		l.held = nil
		return c, nil
	}
}

func (l *failingListener) Close() error {
	return l.Listener.Close()
}

// requireServed makes a request on a connection and sees that it is answered.
func (r *running) requireServed(tb testing.TB, c net.Conn) {
	tb.Helper()
	_, err := c.Write([]byte("\x00\x01n"))
	require.NoError(tb, err)
	require.NotEmpty(tb, requireClosed(tb, c), "it is still served")
}

// syncBuffer is a bytes.Buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
