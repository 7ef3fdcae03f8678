package epmd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/internal/testbed"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestClose: everything ends at once, and ending again is fine.
func TestClose(t *testing.T) { onEngines(t, testClose) }

func testClose(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	c, _ := s.register(t, "foo")
	silent := s.dial(t)
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.end(t), epmd.ErrServerClosed)
	require.Empty(t, requireClosed(t, c))
	require.Empty(t, requireClosed(t, silent))
	require.Zero(t, s.View().Len())
	require.Empty(t, s.Addrs())
	require.Zero(t, s.Stats().Conns)
	require.NoError(t, s.Close())
	require.NoError(t, s.Shutdown(ctx(t)))
}

func TestCloseBeforeServe(t *testing.T) { onEngines(t, testCloseBeforeServe) }

func testCloseBeforeServe(t *testing.T, engine epmd.Engine) {
	s := &epmd.Server{Engine: engine}
	require.NoError(t, s.Close())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.ErrorIs(t, s.Serve(ln), epmd.ErrServerClosed)
	_, err = ln.Accept()
	require.ErrorIs(t, err, net.ErrClosed, "Serve closes the listener in any case")
	require.Error(t, (&epmd.Server{Engine: engine}).Serve(), "without a listener there is nothing to serve")
}

// TestShutdown: a request that has begun is answered, a silent connection is not
// waited for, and then the registered ones go.
func TestShutdown(t *testing.T) { onEngines(t, testShutdown) }

func testShutdown(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	registered, _ := s.register(t, "foo")
	silent := s.dial(t)
	begun := s.dial(t)
	_, err := begun.Write([]byte{0})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.Stats().Unfinished == 2 }, patience, tick)
	testbed.AwaitRead(begun.(*net.TCPConn))

	done := make(chan error, 1)
	go func() { done <- s.Shutdown(ctx(t)) }()
	require.Empty(t, requireClosed(t, silent))
	_, err = net.DialTimeout("tcp", s.addr, patience)
	require.Error(t, err, "no more connections are accepted")
	require.Equal(t, 1, s.View().Len(), "while a request is under way, registrations stand")
	_, err = begun.Write([]byte("\x01n"))
	require.NoError(t, err)
	require.Contains(t, string(requireClosed(t, begun)), "name foo at port 1000\n")
	require.NoError(t, <-done)
	require.ErrorIs(t, s.end(t), epmd.ErrServerClosed)
	require.Empty(t, requireClosed(t, registered))
	require.Zero(t, s.View().Len())
}

// TestShutdownRegistersStill: a registration that is under way is answered, and
// ends with the others.
func TestShutdownRegistersStill(t *testing.T) { onEngines(t, testShutdownRegistersStill) }

func testShutdownRegistersStill(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	c := s.dial(t)
	packet, err := node("late", 1).AppendAlive2Req(nil)
	require.NoError(t, err)
	_, err = c.Write(packet[:5])
	require.NoError(t, err)
	testbed.AwaitRead(c.(*net.TCPConn))
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(ctx(t)) }()
	require.Eventually(t, func() bool { return len(s.Addrs()) == 0 }, patience, tick)
	_, err = c.Write(packet[5:])
	require.NoError(t, err)
	require.Len(t, requireClosed(t, c), 6)
	require.NoError(t, <-done)
}

// TestShutdownCutsShort: when the context ends, what is under way is dropped,
// and the error says so.
func TestShutdownCutsShort(t *testing.T) {
	t.Parallel()
	onEngines(t, testShutdownCutsShort)
}

func testShutdownCutsShort(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	s := run(t, &epmd.Server{Engine: engine})
	c := s.dial(t)
	_, err := c.Write([]byte{0})
	require.NoError(t, err)
	testbed.AwaitRead(c.(*net.TCPConn))
	short, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Shutdown(short), context.DeadlineExceeded)
	require.Empty(t, requireClosed(t, c))
	require.ErrorIs(t, s.end(t), epmd.ErrServerClosed)
}

// TestShutdownOfSilence: a connection that has sent nothing has no request that
// could be cut short, however little time there is, nor is it one that took too
// long.
func TestShutdownOfSilence(t *testing.T) {
	t.Parallel()
	onEngines(t, testShutdownOfSilence)
}

func testShutdownOfSilence(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	for range 20 {
		s := run(t, &epmd.Server{Engine: engine})
		silent := s.dial(t)
		require.Eventually(t, func() bool { return s.Stats().Unfinished == 1 }, patience, tick)
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		require.NoError(t, s.Shutdown(ended))
		require.Empty(t, requireClosed(t, silent))
		require.Zero(t, s.Stats().TimedOut)
	}
	s := run(t, &epmd.Server{Engine: engine})
	silent := s.dial(t)
	require.Eventually(t, func() bool { return s.Stats().Unfinished == 1 }, patience, tick)
	require.NoError(t, s.Shutdown(ctx(t)))
	require.Empty(t, requireClosed(t, silent))
	require.Zero(t, s.Stats().TimedOut)
}

// TestShutdownReason: who was registered until the end is told apart in the
// events.
func TestShutdownReason(t *testing.T) { onEngines(t, testShutdownReason) }

func testShutdownReason(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	s.register(t, "foo")
	sub, now := s.View().Subscribe(8)
	defer sub.Close()
	require.Len(t, now.Nodes, 1)
	require.NoError(t, s.Close())
	require.Equal(t, registry.ReasonShutdown, (<-sub.C).Reason)
}

// TestShutdownLeavesNothing: not a goroutine, not a descriptor.
func TestShutdownLeavesNothing(t *testing.T) { onEngines(t, testShutdownLeavesNothing) }

func testShutdownLeavesNothing(t *testing.T, engine epmd.Engine) {
	leaks := goleak.IgnoreCurrent()
	before := openFiles(t)
	s := &epmd.Server{Engine: engine}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ln) }()
	r := &running{s, ln.Addr().String(), ended}
	client := r.client()
	client.Reregister, client.MinBackoff = true, time.Millisecond
	registration, err := client.Register(ctx(t), node("foo", 1))
	require.NoError(t, err)
	refused, _ := r.register(t, "foo")
	silent := r.dial(t)
	require.NoError(t, s.Shutdown(ctx(t)))
	require.ErrorIs(t, <-ended, epmd.ErrServerClosed)
	require.NoError(t, registration.Close())
	require.NoError(t, refused.Close())
	require.NoError(t, silent.Close())
	goleak.VerifyNone(t, leaks)
	if before > 0 {
		require.Equal(t, before, openFiles(t))
	}
}

// openFiles counts this process's descriptors; 0 where that cannot be done.
func openFiles(t *testing.T) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(fds)
}

// TestKilled: KILL_REQ is answered, and ends Serve with an error of its own.
func TestKilled(t *testing.T) { onEngines(t, testKilled) }

func testKilled(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, RelaxedCommandCheck: true})
	c, _ := s.register(t, "foo")
	require.NoError(t, s.client().Kill(ctx(t)))
	require.ErrorIs(t, s.end(t), epmd.ErrKilled)
	require.Empty(t, requireClosed(t, c))
	require.NoError(t, s.Shutdown(ctx(t)))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.ErrorIs(t, s.Serve(ln), epmd.ErrKilled, "it stays ended")
}

// TestListenAndServe ends with its context.
func TestListenAndServe(t *testing.T) { onEngines(t, testListenAndServe) }

func testListenAndServe(t *testing.T, engine epmd.Engine) {
	port := freePort(t)
	s := &epmd.Server{Engine: engine, Port: port, Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.2")}}
	c, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.ListenAndServe(c) }()
	client := epmd.Client{Addr: fmt.Sprintf("127.0.0.2:%d", port)}
	require.Eventually(t, func() bool { _, err := client.Names(ctx(t)); return err == nil }, patience, tick)
	names, err := client.Names(ctx(t))
	require.NoError(t, err)
	require.EqualValues(t, port, names.Port)
	require.NotEmpty(t, s.Addrs())
	cancel()
	require.ErrorIs(t, <-ended, epmd.ErrServerClosed)

	other := &epmd.Server{Engine: engine, Port: port, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}
	require.Error(t, other.ListenAndServe(context.Background()), "there is no such address here")
}

// TestKinds: any listener will do. A peer that is on this machine by the nature of
// its transport may register.
func TestKinds(t *testing.T) { onEngines(t, testKinds) }

func testKinds(t *testing.T, engine epmd.Engine) {
	t.Run("unix", func(t *testing.T) {
		s := runOn(t, &epmd.Server{Engine: engine}, listenUnix(t))
		client := &epmd.Client{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", s.addr)
		}}
		r, err := client.Register(ctx(t), node("foo", 5))
		require.NoError(t, err)
		defer r.Close()
		names, err := client.Names(ctx(t))
		require.NoError(t, err)
		require.Equal(t, epmd.Names{Port: wire.DefaultPort, Nodes: []epmd.NamePort{{Name: "foo", Port: 5}}, Text: "name foo at port 5\n"}, names)
	})
	t.Run("pipe", func(t *testing.T) {
		ln := newPipeListener()
		runOn(t, &epmd.Server{Port: 4711}, ln) // for which no engine but one is fit
		client := &epmd.Client{DialContext: ln.dial}
		r, err := client.Register(ctx(t), node("foo", 5))
		require.NoError(t, err)
		defer r.Close()
		names, err := client.Names(ctx(t))
		require.NoError(t, err)
		require.EqualValues(t, 4711, names.Port)
		require.Len(t, names.Nodes, 1)
	})
	t.Run("several", func(t *testing.T) {
		s := &epmd.Server{Engine: engine}
		var lns []net.Listener
		for _, host := range []string{"127.0.0.1", "127.0.0.2"} {
			ln, err := net.Listen("tcp", host+":0")
			require.NoError(t, err)
			lns = append(lns, ln)
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(lns...) }()
		a, b := epmd.Client{Addr: lns[0].Addr().String()}, epmd.Client{Addr: lns[1].Addr().String()}
		r, err := a.Register(ctx(t), node("foo", 5))
		require.NoError(t, err)
		defer r.Close()
		found, err := b.Lookup(ctx(t), "foo")
		require.NoError(t, err)
		require.Equal(t, node("foo", 5), found)
		first, err := b.Names(ctx(t))
		require.NoError(t, err)
		require.EqualValues(t, lns[0].Addr().(*net.TCPAddr).Port, first.Port, "the first listener's port is told by all")
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-ended, epmd.ErrServerClosed)
	})
}

// funcListener is a listener of a type that cannot be a map's key.
type funcListener struct {
	net.Listener
	notes []string
}

func TestListenerOfAnyType(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := runOn(t, new(epmd.Server), funcListener{ln, nil})
	_, err = s.client().Names(ctx(t))
	require.NoError(t, err)
	require.Equal(t, []net.Addr{ln.Addr()}, s.Addrs())
}

// TestDataEndsInPeace: what a registered node sends ends its connection, but not
// by a reset as long as one read of OTP's epmd would have taken it.
func TestDataEndsInPeace(t *testing.T) { onEngines(t, testDataEndsInPeace) }

func testDataEndsInPeace(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	for _, n := range []int{1, 15, 16, 17, 100, 3060} {
		c, resp := s.register(t, "foo")
		require.Zero(t, resp.Result)
		_, err := c.Write(make([]byte, n))
		require.NoError(t, err)
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF, "%d bytes", n)
	}
}

// TestRemotePeer connects from an address of this machine to another: such a peer
// may look up and list, and nothing else.
func TestRemotePeer(t *testing.T) { onEngines(t, testRemotePeer) }

func testRemotePeer(t *testing.T, engine epmd.Engine) {
	from := ownAddress(t)
	s := run(t, &epmd.Server{Engine: engine, RelaxedCommandCheck: true})
	s.register(t, "foo")
	client := &epmd.Client{Addr: s.addr, DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).DialContext}
	found, err := client.Lookup(ctx(t), "foo")
	require.NoError(t, err)
	require.Equal(t, node("foo", 1000), found)
	names, err := client.Names(ctx(t))
	require.NoError(t, err)
	require.Len(t, names.Nodes, 1)
	_, err = client.Register(ctx(t), node("bar", 1))
	require.ErrorIs(t, err, epmd.ErrNoAnswer)
	_, err = client.Dump(ctx(t))
	require.ErrorIs(t, err, epmd.ErrNoAnswer)
	require.ErrorIs(t, client.Stop(ctx(t), "foo"), epmd.ErrNoAnswer)
	require.ErrorIs(t, client.Kill(ctx(t)), epmd.ErrNoAnswer)
	require.EqualValues(t, 4, s.Stats().Denied)
	require.Equal(t, 1, s.View().Len())
}

// TestComesBackAtOnce closes a registration and asks for the name at once, many
// times: the server may not have seen the end yet, and must not say that the
// name is taken, nor, where it can know, find the dead node.
func TestComesBackAtOnce(t *testing.T) { onEngines(t, testComesBackAtOnce) }

func testComesBackAtOnce(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, TakenGrace: -1})
	c, resp := s.register(t, "foo")
	for range 300 {
		require.NoError(t, c.Close())
		_, err := s.client().Lookup(ctx(t), "foo")
		require.ErrorIs(t, err, epmd.ErrNotFound)
		next, again := s.register(t, "foo")
		require.Zero(t, again.Result)
		require.Equal(t, resp.Creation+1, again.Creation)
		c, resp = next, again
	}
}

// TestSlowReader: a client that does not read a long list stops nobody, and is
// cut after the time to write.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	onEngines(t, testSlowReader)
}

func testSlowReader(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	s := run(t, &epmd.Server{Engine: engine, WriteTimeout: time.Second})
	s.fill(t)
	slow := s.dial(t)
	require.NoError(t, slow.(*net.TCPConn).SetReadBuffer(4096))
	_, err := slow.Write([]byte("\x00\x01n"))
	require.NoError(t, err)
	for range 20 {
		found, err := s.client().Lookup(ctx(t), strings.Repeat("n", 240)+"17")
		require.NoError(t, err)
		require.EqualValues(t, 1, found.Port)
	}
	require.Eventually(t, func() bool { return s.Stats().WriteErrors == 1 }, patience, 10*tick)
	_, err = io.ReadAll(slow)
	require.True(t, sockets.IsReset(err), "part of a list must not look like the whole")
}

// fill registers so many names that socket buffers do not take the list.
func (r *running) fill(t *testing.T) {
	t.Helper()
	for i := range 40_000 {
		_, _, err := r.RegisterLocal(node(fmt.Sprintf("%s%d", strings.Repeat("n", 240), i), 1))
		require.NoError(t, err)
	}
}

// TestDelays: a delayed answer comes late, and delays nobody else's end.
func TestDelays(t *testing.T) {
	t.Parallel()
	onEngines(t, testDelays)
}

func testDelays(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	const delay = 200 * time.Millisecond
	for name, server := range map[string]*epmd.Server{
		"accept": {Engine: engine, AcceptDelay: delay},
		"write":  {Engine: engine, WriteDelay: delay},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := run(t, server)
			begun := time.Now()
			_, err := s.client().Names(ctx(t))
			require.NoError(t, err)
			require.GreaterOrEqual(t, time.Since(begun), delay)
		})
	}
	t.Run("close", func(t *testing.T) {
		t.Parallel()
		s := run(t, &epmd.Server{Engine: engine, WriteDelay: time.Hour})
		c := s.dial(t)
		_, err := c.Write([]byte("\x00\x01n"))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return s.Stats().Names == 1 }, patience, tick)
		require.NoError(t, s.Close())
		requireClosed(t, c)
	})
}

// TestHooksAndStats follows one of each kind through the hooks and the figures.
func TestHooksAndStats(t *testing.T) { onEngines(t, testHooksAndStats) }

func testHooksAndStats(t *testing.T, engine epmd.Engine) {
	var mu sync.Mutex
	var requests []epmd.Request
	states := make(map[registry.Owner][]epmd.ConnState)
	closed := 0
	s := run(t, &epmd.Server{Engine: engine,
		RelaxedCommandCheck: true,
		OnRequest: func(r epmd.Request) {
			mu.Lock()
			defer mu.Unlock()
			requests = append(requests, r)
		},
		ConnState: func(c epmd.Conn, st epmd.ConnState) {
			mu.Lock()
			defer mu.Unlock()
			states[c.Owner] = append(states[c.Owner], st)
			if st == epmd.StateClosed {
				closed++
			}
		},
	})
	registered, _ := s.register(t, "foo")
	refused, resp := s.register(t, "foo")
	require.EqualValues(t, 1, resp.Result)
	require.Eventually(t, func() bool {
		st := s.Stats()
		return st.Registered == 1 && st.Refused == 1 && st.Conns == 2 && st.Unfinished == 0
	}, patience, tick)
	for _, body := range []string{"zfoo", "zbar", "n", "d", "sbar", "?", "z\xff"} {
		packet, err := wire.AppendPacket(nil, []byte(body))
		require.NoError(t, err)
		_, err = s.client().Exchange(ctx(t), packet)
		require.NoError(t, err)
	}
	partial := s.dial(t)
	_, err := partial.Write([]byte{0})
	require.NoError(t, err)
	require.NoError(t, partial.Close())
	_, err = registered.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, refused.Close())
	require.Eventually(t, func() bool { // the hook comes last
		mu.Lock()
		defer mu.Unlock()
		return closed == 10
	}, patience, tick)

	st := s.Stats()
	require.Zero(t, st.Conns)
	require.EqualValues(t, 10, st.Accepted)
	require.EqualValues(t, []uint64{2, 3, 1, 1, 0, 1, 1}, []uint64{st.Alive2, st.PortPlease2, st.Names, st.Dump, st.Kill, st.Stop, st.Other})
	require.EqualValues(t, 1, st.Refusals[registry.RefusedTaken])
	require.EqualValues(t, 1, st.Faults[wire.FaultTag])
	require.EqualValues(t, 1, st.Faults[wire.FaultUTF8])
	require.EqualValues(t, 1, st.Partial)

	mu.Lock()
	defer mu.Unlock()
	require.Len(t, requests, 10)
	require.Equal(t, wire.TagAlive2Req, requests[0].Tag)
	require.Equal(t, "foo", requests[0].Name)
	require.Equal(t, session.Keep, requests[0].Verdict)
	require.Equal(t, 6, requests[0].ReplyLen)
	require.NoError(t, requests[0].Err)
	require.Equal(t, s.addr, requests[0].Conn.Local.String())
	require.Equal(t, registered.LocalAddr().String(), requests[0].Conn.Remote.String())
	require.Equal(t, registry.RefusedTaken, requests[1].Err)
	require.Equal(t, []epmd.ConnState{epmd.StateNew, epmd.StateRegistered, epmd.StateClosed}, states[1])
	require.Equal(t, []epmd.ConnState{epmd.StateNew, epmd.StateRefused, epmd.StateClosed}, states[2])
	require.Equal(t, []epmd.ConnState{epmd.StateNew, epmd.StateClosed}, states[3])
	last := requests[len(requests)-1]
	require.ErrorIs(t, last.Err, session.ErrData)
}

func TestConnStateString(t *testing.T) {
	for s, want := range map[epmd.ConnState]string{
		epmd.StateNew: "new", epmd.StateRegistered: "registered", epmd.StateRefused: "refused", epmd.StateClosed: "closed", 9: "state 9",
	} {
		require.Equal(t, want, s.String())
	}
}

// TestUnregister does what a STOP_REQ does.
func TestUnregister(t *testing.T) { onEngines(t, testUnregister) }

func testUnregister(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	c, _ := s.register(t, "foo")
	require.True(t, s.Unregister("foo"))
	require.Empty(t, requireClosed(t, c))
	require.False(t, s.Unregister("foo"))
	_, again := s.register(t, "foo")
	require.Zero(t, again.Result)
}

// TestManyClients register, look up and leave at random; in the end exactly those
// are registered whose connections are open.
func TestManyClients(t *testing.T) { onEngines(t, testManyClients) }

func testManyClients(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 40 {
				name := fmt.Sprintf("w%d-%d", w, i)
				r, err := s.client().Register(ctx(t), node(name, uint16(i)))
				if err != nil {
					t.Error(err)
					return
				}
				found, err := s.client().Lookup(ctx(t), name)
				if err != nil || found != node(name, uint16(i)) {
					t.Error(name, found, err)
				}
				if i%4 != 0 {
					_ = r.Close()
				} else {
					t.Cleanup(func() { _ = r.Close() })
				}
			}
		})
	}
	wg.Wait()
	require.Eventually(t, func() bool { return s.View().Len() == 80 }, patience, tick)
	for _, e := range s.View().Snapshot().Nodes {
		require.Regexp(t, `^w\d-(0|4|8|12|16|20|24|28|32|36)$`, e.Node.Name)
	}
}

// freePort is a TCP port that nobody uses.
func freePort(tb testing.TB) uint16 {
	tb.Helper()
	port, err := testbed.FreePort()
	require.NoError(tb, err)
	return port
}

// ownAddress is an address of this machine that is not loopback.
func ownAddress(t *testing.T) net.IP {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil && runtime.GOOS == "windows" {
		t.Skip("SKIPPED: wine in a container does not list the addresses of the machine: ", err)
	}
	require.NoError(t, err)
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return n.IP
		}
	}
	t.Skip("SKIPPED: this machine has no IPv4 address but loopback, so no peer can seem remote; " +
		"give it one: ip addr add 192.0.2.1/32 dev lo")
	return nil
}

// pipeListener is a listener in memory.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "pipe"} }

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, errors.Join(net.ErrClosed, ours.Close())
	}
}

var _ io.Closer = (*pipeListener)(nil)
