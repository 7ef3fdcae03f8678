package epmd_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// onListeners runs a test on each engine, and behind a listener that is not the system's
// own, where the server cannot look into connections.
func onListeners(t *testing.T, f func(*testing.T, func(*epmd.Server) *running)) {
	onEngines(t, func(t *testing.T, engine epmd.Engine) {
		f(t, func(s *epmd.Server) *running {
			s.Engine = engine
			return run(t, s)
		})
	})
	t.Run("wrapped", func(t *testing.T) {
		f(t, func(s *epmd.Server) *running {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			return runOn(t, s, disguised{ln})
		})
	})
}

// disguised is a listener of a program's own, and its connections.
type disguised struct{ net.Listener }

func (l disguised) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return struct{ net.Conn }{c}, nil
}

// asker is a connection on which a registration was asked for.
type asker struct {
	net.Conn
	more bool
}

// ask asks for a registration, without waiting for the answer.
func (r *running) ask(tb testing.TB, n wire.Node) asker {
	tb.Helper()
	a := asker{r.dial(tb), n.Transport != ""}
	a.ask(tb, n)
	return a
}

// ask asks for one more.
func (a asker) ask(tb testing.TB, n wire.Node) {
	tb.Helper()
	add := n.AppendAlive2Req
	if a.more {
		add = n.AppendAlive3Req
	}
	packet, err := add(nil)
	require.NoError(tb, err)
	_, err = a.Write(packet)
	require.NoError(tb, err)
}

// answer reads the answer.
func (a asker) answer(tb testing.TB) (resp wire.Alive2Resp) {
	tb.Helper()
	size := 6
	if a.more {
		size = 8
	}
	b := make([]byte, size)
	_, err := io.ReadFull(a, b)
	require.NoError(tb, err)
	resp, _, err = wire.ParseAlive2Resp(b[size-6:])
	require.NoError(tb, err)
	return resp
}

// await asks for a registration of a taken name, and returns once it waits.
func (r *running) await(tb testing.TB, n wire.Node) asker {
	tb.Helper()
	before := r.WaitingFor(n.Name)
	a := r.ask(tb, n)
	r.requireWaiting(tb, n.Name, before+1)
	return a
}

func (r *running) requireWaiting(tb testing.TB, name string, n int) {
	tb.Helper()
	require.Eventually(tb, func() bool { return r.WaitingFor(name) == n }, patience, tick)
}

// TestTakenGrace: who asks for a taken name gets it when its holder ends, in whatever way.
func TestTakenGrace(t *testing.T) { onListeners(t, testTakenGrace) }

func testTakenGrace(t *testing.T, serve func(*epmd.Server) *running) {
	ends := map[string]func(*testing.T, *running, net.Conn){
		"closes": func(t *testing.T, _ *running, c net.Conn) { require.NoError(t, c.Close()) },
		"resets": func(t *testing.T, _ *running, c net.Conn) {
			require.NoError(t, errors.Join(c.(*net.TCPConn).SetLinger(0), c.Close()))
		},
		"sends":           func(t *testing.T, _ *running, c net.Conn) { _, err := c.Write([]byte{0}); require.NoError(t, err) },
		"is stopped":      func(t *testing.T, r *running, _ net.Conn) { require.NoError(t, r.client().Stop(ctx(t), "foo")) },
		"is unregistered": func(t *testing.T, r *running, _ net.Conn) { require.True(t, r.Unregister("foo")) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			var told []epmd.Request
			s := &epmd.Server{TakenGrace: time.Hour, RelaxedCommandCheck: true}
			var mu sync.Mutex
			s.OnRequest = func(r epmd.Request) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, r)
			}
			var admitted atomic.Int64
			s.AdmitNode = func(epmd.Conn, wire.Node) error { admitted.Add(1); return nil }
			r := serve(s)
			events, _ := r.View().Subscribe(100)
			defer events.Close()
			holder, first := r.register(t, "foo")
			waits := r.await(t, node("foo", 2))
			require.Equal(t, 1, r.Stats().Unfinished)
			found, err := r.client().Lookup(ctx(t), "foo")
			require.NoError(t, err)
			require.EqualValues(t, 1000, found.Port, "the holder's, and others need not wait")
			end(t, r, holder)
			second := waits.answer(t)
			require.Zero(t, second.Result)
			require.Equal(t, first.Creation+1, second.Creation)
			found, err = r.client().Lookup(ctx(t), "foo")
			require.NoError(t, err)
			require.EqualValues(t, 2, found.Port)

			require.EqualValues(t, 2, admitted.Load(), "each is asked about once")
			for _, want := range []registry.EventKind{registry.Registered, registry.Unregistered, registry.Registered} {
				require.Equal(t, want, (<-events.C).Kind, "a wait is no refusal")
			}
			require.EqualValues(t, 2, r.Stats().Outcomes[wire.TagAlive2Req][session.Answered])
			mu.Lock()
			defer mu.Unlock()
			require.Len(t, slices.DeleteFunc(told, func(r epmd.Request) bool { return r.Tag != wire.TagAlive2Req }), 2)
		})
	}
}

// TestTakenGraceOfLocal: a node of the program's own is a holder like any other, and is
// itself refused at once.
func TestTakenGraceOfLocal(t *testing.T) { onListeners(t, testTakenGraceOfLocal) }

func testTakenGraceOfLocal(t *testing.T, serve func(*epmd.Server) *running) {
	r := serve(&epmd.Server{TakenGrace: time.Hour})
	_, release, err := r.RegisterLocal(node("foo", 1))
	require.NoError(t, err)
	waits := r.await(t, node("foo", 2))
	_, _, err = r.RegisterLocal(node("foo", 3))
	require.ErrorIs(t, err, registry.RefusedTaken)
	release()
	require.Zero(t, waits.answer(t).Result)
}

// TestTakenGraceOver: a name that is held is refused when the time is over, as it is without
// any time.
func TestTakenGraceOver(t *testing.T) { onListeners(t, testTakenGraceOver) }

func testTakenGraceOver(t *testing.T, serve func(*epmd.Server) *running) {
	for _, grace := range []time.Duration{20 * time.Millisecond, -1} {
		t.Run(grace.String(), func(t *testing.T) {
			r := serve(&epmd.Server{TakenGrace: grace, MultiTransport: true})
			events, _ := r.View().Subscribe(100)
			defer events.Close()
			holder, _ := r.register(t, "foo")
			for i, n := range []wire.Node{node("foo", 2), transport("foo", "tls", 3)} {
				began := time.Now()
				c := r.ask(t, n)
				resp := c.answer(t)
				require.EqualValues(t, 1, resp.Result)
				require.EqualValues(t, wire.RefusedCreation, resp.Creation)
				require.GreaterOrEqual(t, time.Since(began), grace)
				require.Eventually(t, func() bool { return r.Stats().Refused == i+1 }, patience, tick)
				r.requireOpen(t, c)
			}
			r.requireOpen(t, holder)
			require.EqualValues(t, 2, r.Stats().Refusals[registry.RefusedTaken])
			for _, want := range []registry.EventKind{registry.Registered, registry.Refused, registry.Refused} {
				require.Equal(t, want, (<-events.C).Kind)
			}
			require.Empty(t, events.C)
		})
	}
}

// TestTakenGraceOfAnswered: the time of a holder is not over while its reply is being
// written, since nobody has looked yet whether it has ended; but ten times as much is enough.
func TestTakenGraceOfAnswered(t *testing.T) {
	for name, grace := range map[string]time.Duration{"goes on in time": time.Second, "goes on too late": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			goOn := make(chan struct{})
			r := runOn(t, &epmd.Server{TakenGrace: grace}, slowListener{ln, goOn})
			holder := r.ask(t, node("foo", 1))
			require.Zero(t, holder.answer(t).Result)
			require.NoError(t, holder.Close())
			waits := r.ask(t, node("foo", 2))
			if grace < time.Second {
				require.EqualValues(t, 1, waits.answer(t).Result)
				close(goOn)
				return
			}
			time.Sleep(3 * grace / 2) // what is tested
			close(goOn)
			require.Zero(t, waits.answer(t).Result)
		})
	}
}

// slowListener is one whose connections go on after a write only when they may.
type slowListener struct {
	net.Listener
	goOn chan struct{}
}

type slowConn struct {
	net.Conn
	goOn chan struct{}
}

func (l slowListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return slowConn{c, l.goOn}, err
}

func (c slowConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	<-c.goOn
	return n, err
}

// TestTakenGraceOfEach: each has its own time, also if others wait longer or for other names.
func TestTakenGraceOfEach(t *testing.T) { onListeners(t, testTakenGraceOfEach) }

func testTakenGraceOfEach(t *testing.T, serve func(*epmd.Server) *running) {
	const grace = 50 * time.Millisecond
	r := serve(&epmd.Server{TakenGrace: grace, KeepAlive: -1}) // so that nothing else wakes it
	r.register(t, "foo")
	r.register(t, "bar")
	var all []asker
	var began []time.Time
	for _, name := range []string{"foo", "bar", "foo"} {
		began = append(began, time.Now())
		all = append(all, r.ask(t, node(name, 2)))
		time.Sleep(grace / 4) // so that their times do not end together
	}
	for i, c := range all {
		require.EqualValues(t, 1, c.answer(t).Result)
		require.GreaterOrEqual(t, time.Since(began[i]), grace)
	}
}

// TestTakenGraceInOrder: those who wait for one name get it one after the other, in the order
// in which they asked; who comes later stands behind them.
func TestTakenGraceInOrder(t *testing.T) { onListeners(t, testTakenGraceInOrder) }

func testTakenGraceInOrder(t *testing.T, serve func(*epmd.Server) *running) {
	r := serve(&epmd.Server{TakenGrace: time.Hour})
	holder, resp := r.register(t, "foo")
	_, other := r.register(t, "other")
	require.Zero(t, other.Result)
	var all []asker
	for port := range uint16(5) {
		all = append(all, r.await(t, node("foo", port)))
	}
	elsewhere := r.await(t, node("other", 1))
	for i, next := range all {
		require.NoError(t, holder.Close())
		got := next.answer(t)
		require.Zero(t, got.Result)
		require.Equal(t, resp.Creation+1, got.Creation)
		found, err := r.client().Lookup(ctx(t), "foo")
		require.NoError(t, err)
		require.EqualValues(t, i, found.Port)
		require.Equal(t, len(all)-i-1, r.WaitingFor("foo"))
		holder, resp = next, got
	}
	require.Equal(t, 1, r.WaitingFor("other"), "another name is another line")
	require.NoError(t, elsewhere.Close())
}

// TestTakenGraceLeft: who waits and closes, or sends more, loses what it gets at once to the
// next.
func TestTakenGraceLeft(t *testing.T) { onListeners(t, testTakenGraceLeft) }

func testTakenGraceLeft(t *testing.T, serve func(*epmd.Server) *running) {
	r := serve(&epmd.Server{TakenGrace: time.Hour})
	holder, _ := r.register(t, "foo")
	closed := r.await(t, node("foo", 1))
	halfClosed := r.await(t, node("foo", 2))
	sends := r.await(t, node("foo", 3))
	last := r.await(t, node("foo", 4))
	require.NoError(t, closed.Close())
	require.NoError(t, halfClosed.Conn.(*net.TCPConn).CloseWrite())
	_, err := sends.Write([]byte{0})
	require.NoError(t, err)
	require.NoError(t, holder.Close())
	for _, c := range []asker{halfClosed, sends} {
		require.Zero(t, c.answer(t).Result)
		require.Empty(t, requireClosed(t, c))
	}
	require.Zero(t, last.answer(t).Result)
	r.requireOpen(t, last)
	require.Equal(t, []string{"foo"}, r.names())
}

// TestTakenGraceOfTransports: registrations of either kind wait for what either kind holds;
// further ones on one connection are answered in order, and a transport that is free need
// not wait.
func TestTakenGraceOfTransports(t *testing.T) { onListeners(t, testTakenGraceOfTransports) }

func testTakenGraceOfTransports(t *testing.T, serve func(*epmd.Server) *running) {
	r := serve(&epmd.Server{TakenGrace: time.Hour, MultiTransport: true})
	holder, _ := r.register(t, "foo")
	third := r.await(t, transport("foo", "tls", 3))
	require.NoError(t, holder.Close())
	require.Zero(t, third.answer(t).Result)

	other := r.ask(t, transport("foo", "uds", 4))
	require.Zero(t, other.answer(t).Result)
	other.ask(t, transport("bar", "uds", 5))
	require.Zero(t, other.answer(t).Result)
	other.ask(t, transport("foo", "tls", 6))
	other.ask(t, transport("bar", "tls", 7))
	r.requireWaiting(t, "foo", 1)
	require.NoError(t, third.Close())
	require.Zero(t, other.answer(t).Result)
	require.Zero(t, other.answer(t).Result)
	r.requireOpen(t, other)

	two := r.ask(t, node("foo", 8))
	require.Zero(t, two.answer(t).Result, "one more transport of the name")
	again := r.await(t, node("foo", 9))
	require.NoError(t, two.Close())
	require.Zero(t, again.answer(t).Result)
}

// TestTakenGraceHolderEnds: who holds a name, and waits for another, loses the one it holds
// when it ends, and the other is not its own.
func TestTakenGraceHolderEnds(t *testing.T) { onListeners(t, testTakenGraceHolderEnds) }

func testTakenGraceHolderEnds(t *testing.T, serve func(*epmd.Server) *running) {
	s := &epmd.Server{TakenGrace: time.Hour, MultiTransport: true}
	s.AdmitNode = func(_ epmd.Conn, n wire.Node) error {
		if n.Port == 3 { // it ends before it waits
			s.Unregister("baz")
		}
		return nil
	}
	r := serve(s)
	foo, _ := r.register(t, "foo")
	both := r.ask(t, transport("bar", "tls", 2))
	require.Zero(t, both.answer(t).Result)
	both.ask(t, transport("foo", "tls", 2))
	r.requireWaiting(t, "foo", 1)
	require.True(t, r.Unregister("bar"))
	require.Empty(t, requireClosed(t, both))
	both = r.ask(t, transport("baz", "tls", 2))
	require.Zero(t, both.answer(t).Result)
	both.ask(t, transport("foo", "tls", 3))
	require.Empty(t, requireClosed(t, both))
	r.requireWaiting(t, "foo", 0)
	require.NoError(t, foo.Close())
	require.Eventually(t, func() bool { return r.Stats().Conns == 0 }, patience, tick)
	require.Empty(t, r.names())
}

// TestTakenGraceEvicted: who waits is unfinished, and has to go for a limit like any other;
// the next takes its place in the line.
func TestTakenGraceEvicted(t *testing.T) { onListeners(t, testTakenGraceEvicted) }

func testTakenGraceEvicted(t *testing.T, serve func(*epmd.Server) *running) {
	denied := make(chan epmd.Request, 10)
	s := &epmd.Server{TakenGrace: time.Hour, MaxUnfinished: 2}
	s.OnRequest = func(r epmd.Request) {
		if r.Outcome == session.Denied {
			denied <- r
		}
	}
	r := serve(s)
	holder, _ := r.register(t, "foo")
	first := r.await(t, node("foo", 1))
	second := r.await(t, node("foo", 2))
	third := r.ask(t, node("foo", 3))
	require.Empty(t, requireClosed(t, first))
	got := <-denied
	require.Equal(t, "foo", got.Name)
	require.ErrorIs(t, got.Err, session.ErrNoRoom)
	r.requireWaiting(t, "foo", 2)
	require.EqualValues(t, 1, r.Stats().LimitUnfinished)
	require.NoError(t, holder.Close())
	require.Zero(t, second.answer(t).Result)
	require.NoError(t, second.Close())
	require.Zero(t, third.answer(t).Result)
}

// TestTakenGraceAtShutdown: a shutdown refuses who waits at once, and so does one that comes
// during it; Close waits for nobody.
func TestTakenGraceAtShutdown(t *testing.T) { onListeners(t, testTakenGraceAtShutdown) }

func testTakenGraceAtShutdown(t *testing.T, serve func(*epmd.Server) *running) {
	r := serve(&epmd.Server{TakenGrace: time.Hour})
	r.register(t, "foo")
	waits := []asker{r.await(t, node("foo", 1)), r.await(t, node("foo", 2))}
	late := r.dial(t)
	packet, err := node("foo", 3).AppendAlive2Req(nil)
	require.NoError(t, err)
	_, err = late.Write(packet[:1])
	require.NoError(t, err)
	require.Eventually(t, func() bool { return r.Stats().Unfinished == 3 }, patience, tick)
	_, err = r.client().Names(ctx(t)) // so that the byte is read
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- r.Shutdown(ctx(t)) }()
	for _, c := range waits {
		require.EqualValues(t, 1, c.answer(t).Result)
	}
	_, err = late.Write(packet[1:])
	require.NoError(t, err)
	require.EqualValues(t, 1, asker{late, false}.answer(t).Result)
	require.NoError(t, <-ended)
	require.ErrorIs(t, r.end(t), epmd.ErrServerClosed)

	r = serve(&epmd.Server{TakenGrace: time.Hour})
	r.register(t, "foo")
	r.await(t, node("foo", 1))
	require.NoError(t, r.Close())
	require.ErrorIs(t, r.end(t), epmd.ErrServerClosed)
}

// TestTakenGraceLate has nodes come back whose former connections end up to some
// milliseconds after they have asked, as the packets of Erlang's show: nobody is refused.
func TestTakenGraceLate(t *testing.T) { onListeners(t, testTakenGraceLate) }

func testTakenGraceLate(t *testing.T, serve func(*epmd.Server) *running) {
	r := serve(&epmd.Server{TakenGrace: time.Second})
	var wg sync.WaitGroup
	for w := range 10 {
		wg.Go(func() {
			name := fmt.Sprint("node", w)
			old := r.ask(t, node(name, 1))
			require.Zero(t, old.answer(t).Result)
			for range 100 {
				next := r.ask(t, node(name, 1))
				time.Sleep(20*time.Microsecond + rand.N(4*time.Millisecond)) // what is tested
				require.NoError(t, old.Close())
				require.Zero(t, next.answer(t).Result)
				old = next
			}
		})
	}
	wg.Wait()
	require.Zero(t, r.Stats().Refusals[registry.RefusedTaken])
}

// BenchmarkTaken is how long a name that is held takes to be refused, from the last byte of
// the request to the answer, with the time that there is by default: 1,000 times with
// -benchtime 1000x.
func BenchmarkTaken(b *testing.B) {
	for _, engine := range []epmd.Engine{epmd.EnginePortable, epmd.EngineEpoll} {
		if engine == epmd.EngineEpoll && runtime.GOOS != "linux" {
			continue
		}
		b.Run(engine.String(), func(b *testing.B) {
			r := run(b, &epmd.Server{Engine: engine})
			_, resp := r.register(b, "foo")
			require.Zero(b, resp.Result)
			var took []time.Duration
			for b.Loop() {
				c := r.ask(b, node("foo", 1))
				began := time.Now()
				resp := c.answer(b)
				took = append(took, time.Since(began))
				require.EqualValues(b, 1, resp.Result)
				require.NoError(b, c.Close())
			}
			slices.Sort(took)
			for name, share := range map[string]float64{"p50-ms": 0.5, "p99-ms": 0.99, "max-ms": 1} {
				b.ReportMetric(took[int(share*float64(len(took)-1))].Seconds()*1e3, name)
			}
		})
	}
}
