package epmd_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// hookCase is one hook, and a way to have it called.
type hookCase struct {
	name string
	// set has the hook call a function, and then do as little as it can.
	set  func(s *epmd.Server, call func(epmd.Conn))
	fire func(*testing.T, *running)
}

// hookCases are the hooks that are called while a connection is served; of ConnState each
// state. In all of them "other" is registered.
var hookCases = []hookCase{
	{"Allow", func(s *epmd.Server, call func(epmd.Conn)) {
		s.Allow = func(c epmd.Conn, _ wire.Tag) bool { call(c); return true }
	}, fireRegister},
	{"AdmitNode", func(s *epmd.Server, call func(epmd.Conn)) {
		s.AdmitNode = func(c epmd.Conn, _ wire.Node) error { call(c); return nil }
	}, fireRegister},
	{"Resolve", func(s *epmd.Server, call func(epmd.Conn)) {
		s.Resolve = func(string) (wire.Node, bool) { call(epmd.Conn{}); return wire.Node{}, false }
	}, func(t *testing.T, r *running) { fireExchange(t, r, "\x00\x07znobody") }},
	{"HandleUnknown", func(s *epmd.Server, call func(epmd.Conn)) {
		s.HandleUnknown = func(c epmd.Conn, _, reply []byte) ([]byte, bool) { call(c); return reply, false }
	}, func(t *testing.T, r *running) { fireExchange(t, r, "\x00\x01?") }},
	{"OnRequest", func(s *epmd.Server, call func(epmd.Conn)) {
		s.OnRequest = func(r epmd.Request) { call(r.Conn) }
	}, fireRegister},
	{"ConnState new", onState(epmd.StateNew), fireRegister},
	{"ConnState registered", onState(epmd.StateRegistered), fireRegister},
	{"ConnState refused", onState(epmd.StateRefused), func(t *testing.T, r *running) {
		_, resp := r.register(t, "other")
		require.EqualValues(t, 1, resp.Result)
	}},
	{"ConnState closed", onState(epmd.StateClosed), func(t *testing.T, r *running) {
		require.NoError(t, r.dial(t).Close())
	}},
}

func onState(want epmd.ConnState) func(*epmd.Server, func(epmd.Conn)) {
	return func(s *epmd.Server, call func(epmd.Conn)) {
		s.ConnState = func(c epmd.Conn, state epmd.ConnState) {
			if state == want {
				call(c)
			}
		}
	}
}

// fireExchange sends a request; what the hook starts may cut off the answer.
func fireExchange(t *testing.T, r *running, packet string) {
	_, _ = r.client().Exchange(ctx(t), []byte(packet))
}

// fireRegister has a node register; the hook may end its connection at once.
func fireRegister(t *testing.T, r *running) {
	_, _ = r.dial(t).Write(alive(t, "hooked")) // where the system tells of the end at once, it fails
}

// hooked is a server of which a hook does something once, on behalf of "hooked", while
// "other" is registered.
type hooked struct {
	*running
	other registry.Owner
}

// allowedCalls are what a hook may call.
var allowedCalls = map[string]func(*testing.T, hooked, epmd.Conn){
	"View": func(t *testing.T, h hooked, _ epmd.Conn) {
		v := h.View()
		assert.Positive(t, v.Len())
		_, found := v.Lookup("other")
		assert.True(t, found)
		_, found = v.Entry("other")
		assert.True(t, found)
		assert.NotEmpty(t, v.Snapshot().Nodes)
		sub, now := v.Subscribe(1)
		assert.NotEmpty(t, now.Nodes)
		sub.Close()
		assert.Positive(t, v.Stats().Nodes)
	},
	"Stats": func(t *testing.T, h hooked, _ epmd.Conn) { assert.Positive(t, h.Stats().Accepted) },
	"Addrs": func(_ *testing.T, h hooked, _ epmd.Conn) { h.Addrs() },
	"File": func(t *testing.T, h hooked, c epmd.Conn) {
		if runtime.GOOS == "windows" {
			return // it gives none
		}
		for _, o := range []registry.Owner{h.other, c.Owner} {
			f, err := h.File(o)
			assert.NoError(t, err)
			if f != nil {
				assert.NoError(t, f.Close())
			}
		}
	},
	"IsLocal":    func(t *testing.T, _ hooked, c epmd.Conn) { assert.Equal(t, c.Remote != nil, c.IsLocal()) },
	"Unregister": func(t *testing.T, h hooked, _ epmd.Conn) { assert.True(t, h.Unregister("other")) },
	"RegisterLocal": func(t *testing.T, h hooked, _ epmd.Conn) {
		_, release, err := h.RegisterLocal(node("mine", 1))
		assert.NoError(t, err)
		release()
	},
	"Unregister itself": func(_ *testing.T, h hooked, _ epmd.Conn) { h.Unregister("hooked") },
}

// TestHooksMayCall: each hook calls each method that it may, and the server goes on.
func TestHooksMayCall(t *testing.T) {
	onEngines(t, func(t *testing.T, engine epmd.Engine) {
		for _, hook := range hookCases {
			t.Run(hook.name, func(t *testing.T) { testMayCall(t, engine, hook) })
		}
	})
}

func testMayCall(t *testing.T, engine epmd.Engine, hook hookCase) {
	for name, call := range allowedCalls {
		t.Run(name, func(t *testing.T) {
			playHook(t, engine, hook, func(h hooked, c epmd.Conn, done func()) {
				call(t, h, c)
				done()
			})
		})
	}
}

// forbiddenCalls are what waits for the server: a hook starts a goroutine for it.
var forbiddenCalls = map[string]func(*testing.T, hooked){
	"Serve": func(t *testing.T, h hooked) { _ = h.Serve(listener(t)) },
	"ServeContext": func(t *testing.T, h hooked) {
		c, cancel := context.WithCancel(context.Background())
		cancel()
		_ = h.ServeContext(c, listener(t))
	},
	"ListenAndServe": func(_ *testing.T, h hooked) { _ = h.ListenAndServe(context.Background()) },
	"Close":          func(t *testing.T, h hooked) { assert.NoError(t, h.Close()) },
	"Shutdown": func(_ *testing.T, h hooked) {
		c, cancel := context.WithCancel(context.Background())
		cancel()
		_ = h.Shutdown(c)
	},
	"Handoff": func(t *testing.T, h hooked) {
		assert.ErrorIs(t, h.Handoff(context.Background(), new(net.UnixConn)), epmd.ErrHandoff)
	},
	"Resume": func(t *testing.T, h hooked) {
		assert.ErrorIs(t, h.Resume(context.Background(), new(net.UnixConn)), epmd.ErrHandoff)
	},
	"Restore": func(t *testing.T, h hooked) { assert.Error(t, h.Restore(epmd.Held{})) },
	"Check":   func(_ *testing.T, h hooked) { _ = h.Check(context.Background()) },
	"Remotes": func(_ *testing.T, h hooked) { _, _ = h.Remotes(context.Background(), h.other) },
}

// TestHooksMayStart: each hook starts a goroutine for each method that waits for the
// server, and neither waits for the other for ever.
func TestHooksMayStart(t *testing.T) {
	onEngines(t, func(t *testing.T, engine epmd.Engine) {
		for _, hook := range hookCases {
			t.Run(hook.name, func(t *testing.T) { testMayStart(t, engine, hook) })
		}
	})
}

func testMayStart(t *testing.T, engine epmd.Engine, hook hookCase) {
	for name, call := range forbiddenCalls {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{})
			playHook(t, engine, hook, func(h hooked, _ epmd.Conn, done func()) {
				go func() {
					defer close(ended)
					if strings.Contains(name, "Serve") { // it ends with the server
						done()
						call(t, h)
						return
					}
					call(t, h)
					done()
				}()
			})
			select {
			case <-ended:
			case <-time.After(patience):
				require.FailNow(t, "the goroutine does not end")
			}
		})
	}
}

// playHook has a hook called once, waits until it is done, and then closes the server. A
// server that stands still is left to goleak.
func playHook(t *testing.T, engine epmd.Engine, hook hookCase, call func(h hooked, c epmd.Conn, done func())) {
	var h hooked
	var once sync.Once
	armed, done := make(chan struct{}), make(chan struct{})
	s := &epmd.Server{Engine: engine, Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Port: freePort(t)}
	hook.set(s, func(c epmd.Conn) {
		select {
		case <-armed:
			if c.Owner != h.other { // whose hook may come after its answer
				once.Do(func() { call(h, c, func() { close(done) }) })
			}
		default:
		}
	})
	ln := listener(t)
	h.running = &running{s, ln.Addr().String(), make(chan error, 1)}
	go func() { h.ended <- s.Serve(ln) }()
	_, resp := h.register(t, "other")
	require.Zero(t, resp.Result)
	other, found := s.View().Entry("other")
	require.True(t, found)
	h.other = other.Owner
	close(armed)
	hook.fire(t, h.running)
	select {
	case <-done:
	case <-time.After(patience):
		require.FailNow(t, "the hook does not return")
	}
	require.NoError(t, s.Close())
	require.Error(t, h.end(t))
}

func listener(t *testing.T) net.Listener {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	assert.NoError(t, err)
	return ln
}

// TestFileInHook: a hook is given the descriptor of its own connection and of another's,
// and none of one that is closed.
func TestFileInHook(t *testing.T) { onEngines(t, testFileInHook) }

func testFileInHook(t *testing.T, engine epmd.Engine) {
	needFiles(t)
	type found struct {
		state epmd.ConnState
		file  *os.File
	}
	files := make(chan found, 10)
	s := &epmd.Server{Engine: engine}
	s.ConnState = func(c epmd.Conn, state epmd.ConnState) {
		f, err := s.File(c.Owner)
		assert.NoError(t, err)
		files <- found{state, f}
	}
	r := run(t, s)
	c, _ := r.register(t, "foo")
	for _, state := range []epmd.ConnState{epmd.StateNew, epmd.StateRegistered} {
		got := <-files
		require.Equal(t, state, got.state)
		nc, err := net.FileConn(got.file)
		require.NoError(t, err)
		require.Equal(t, c.LocalAddr().String(), nc.RemoteAddr().String())
		require.NoError(t, nc.Close())
		require.NoError(t, got.file.Close())
	}
	require.NoError(t, c.Close())
	require.Equal(t, found{epmd.StateClosed, nil}, <-files)
}

// TestFileBesideHooks: descriptors are asked for from elsewhere while connections come and
// go, in hooks and between them.
func TestFileBesideHooks(t *testing.T) { onEngines(t, testFileBesideHooks) }

func testFileBesideHooks(t *testing.T, engine epmd.Engine) {
	needFiles(t)
	owners := make(chan registry.Owner, 100)
	s := run(t, &epmd.Server{Engine: engine, ConnState: func(c epmd.Conn, _ epmd.ConnState) {
		select {
		case owners <- c.Owner:
		default:
		}
	}})
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case o := <-owners:
					f, err := s.File(o)
					assert.NoError(t, err)
					if f != nil {
						assert.NoError(t, f.Close())
					}
				case <-stop:
					return
				}
			}
		})
	}
	for range 200 {
		r, err := s.client().Register(ctx(t), node("foo", 1))
		require.NoError(t, err)
		require.NoError(t, r.Close())
		require.Eventually(t, func() bool { return s.View().Len() == 0 }, patience, tick)
	}
	close(stop)
	wg.Wait()
}

// TestConnIsLocal: it says what the rules of requests go by, of any kind of address.
func TestConnIsLocal(t *testing.T) {
	tcp := func(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }
	for name, tt := range map[string]struct {
		conn epmd.Conn
		want bool
	}{
		"nothing":          {epmd.Conn{}, false},
		"loopback":         {epmd.Conn{Remote: tcp("127.0.0.2:5")}, true},
		"loopback of IPv6": {epmd.Conn{Remote: tcp("[::1]:5"), Local: tcp("[::1]:4369")}, true},
		"own address":      {epmd.Conn{Remote: tcp("192.0.2.1:5"), Local: tcp("192.0.2.1:4369")}, true},
		"own, mapped":      {epmd.Conn{Remote: tcp("192.0.2.1:5"), Local: tcp("[::ffff:192.0.2.1]:4369")}, true},
		"own, with a zone": {epmd.Conn{Remote: tcp("[fe80::1%a]:5"), Local: tcp("[fe80::1%b]:4369")}, true},
		"another":          {epmd.Conn{Remote: tcp("192.0.2.2:5"), Local: tcp("192.0.2.1:4369")}, false},
		"Unix socket":      {epmd.Conn{Remote: &net.UnixAddr{Net: "unix"}, Local: &net.UnixAddr{Net: "unix"}}, true},
		"own end unknown":  {epmd.Conn{Remote: tcp("192.0.2.1:5")}, false},
	} {
		require.Equal(t, tt.want, tt.conn.IsLocal(), name)
	}
}

// TestHookPanics: a hook that panics counts as one that says no, or has returned; it is
// counted, and logged with its stack.
func TestHookPanics(t *testing.T) { onEngines(t, testHookPanics) }

// panicking is to be found in a stack.
func panicking() { panic("a mistake") }

func testHookPanics(t *testing.T, engine epmd.Engine) {
	exchange := func(t *testing.T, r *running, packet []byte) string {
		answer, err := r.client().Exchange(ctx(t), packet)
		require.NoError(t, err)
		return string(answer)
	}
	registers := func(t *testing.T, r *running) {
		_, resp := r.register(t, "foo")
		require.Zero(t, resp.Result)
	}
	for hook, tt := range map[string]struct {
		set func(*epmd.Server)
		do  func(*testing.T, *running)
	}{
		"Allow": {func(s *epmd.Server) {
			s.Allow = func(epmd.Conn, wire.Tag) bool { panicking(); return true }
		}, func(t *testing.T, r *running) {
			require.Empty(t, exchange(t, r, alive(t, "foo")))
			require.EqualValues(t, 1, r.Stats().Denied)
		}},
		"AdmitNode": {func(s *epmd.Server) {
			s.AdmitNode = func(epmd.Conn, wire.Node) error { panicking(); return nil }
		}, func(t *testing.T, r *running) {
			_, resp := r.register(t, "foo")
			require.EqualValues(t, 1, resp.Result)
			require.EqualValues(t, 1, r.Stats().Refusals[registry.RefusedNotAdmitted])
		}},
		"Resolve": {func(s *epmd.Server) {
			s.Resolve = func(string) (wire.Node, bool) { panicking(); return wire.Node{}, true }
		}, func(t *testing.T, r *running) {
			_, err := r.client().Lookup(ctx(t), "foo")
			require.ErrorIs(t, err, epmd.ErrNotFound)
		}},
		"HandleUnknown": {func(s *epmd.Server) {
			s.HandleUnknown = func(_ epmd.Conn, _, reply []byte) ([]byte, bool) { panicking(); return reply, true }
		}, func(t *testing.T, r *running) {
			require.Empty(t, exchange(t, r, []byte("\x00\x01?")))
			require.EqualValues(t, 1, r.Stats().Faults[wire.FaultTag])
		}},
		"OnRequest": {func(s *epmd.Server) { s.OnRequest = func(epmd.Request) { panicking() } }, registers},
		"ConnState": {func(s *epmd.Server) { s.ConnState = func(epmd.Conn, epmd.ConnState) { panicking() } }, registers},
		"OnEvent":   {func(s *epmd.Server) { s.OnEvent = func(registry.Event, registry.Inside) { panicking() } }, registers},
		"Now": {func(s *epmd.Server) { s.Now = func() time.Time { panicking(); return time.Time{} } }, func(t *testing.T, r *running) {
			_, resp := r.register(t, "foo")
			require.InDelta(t, time.Now().Unix(), resp.Creation, 3600, "it is the system's time")
		}},
	} {
		t.Run(hook, func(t *testing.T) {
			var log lockedBuffer
			s := &epmd.Server{Engine: engine, Logger: slog.New(slog.NewTextHandler(&log, nil))}
			tt.set(s)
			r := run(t, s)
			tt.do(t, r)
			require.Positive(t, r.Stats().HookPanics)
			require.Contains(t, log.String(), `level=ERROR msg="a hook panicked" hook=`+hook+` err="a mistake" stack=`)
			require.Contains(t, log.String(), "epmd_test.panicking")
			_, err := r.client().Names(ctx(t))
			require.Equal(t, hook == "Allow", errors.Is(err, epmd.ErrNoAnswer), "it goes on")
		})
	}
}

// TestAdmitNode: a node that the program does not admit is told that its name is taken, and
// holds nothing; it is counted, told to OnRequest, and logged.
func TestAdmitNode(t *testing.T) { onEngines(t, testAdmitNode) }

func testAdmitNode(t *testing.T, engine epmd.Engine) {
	var log lockedBuffer
	no := errors.New("reserved")
	asked := make(chan wire.Node, 10)
	requests := make(chan epmd.Request, 10)
	s := run(t, &epmd.Server{
		Engine: engine, MultiTransport: true,
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
		AdmitNode: func(c epmd.Conn, n wire.Node) error {
			assert.True(t, c.IsLocal())
			asked <- n
			if n.Name == "mine" {
				return no
			}
			return nil
		},
		OnRequest: func(r epmd.Request) { requests <- r },
	})
	c, resp := s.register(t, "mine")
	require.Equal(t, wire.Alive2Resp{Result: 1, Extended: true, Creation: wire.RefusedCreation}, resp)
	require.Equal(t, node("mine", 1000), <-asked)
	got := <-requests
	require.ErrorIs(t, got.Err, registry.RefusedNotAdmitted)
	require.ErrorIs(t, got.Err, no)
	require.Equal(t, session.Refused, got.Outcome)
	require.Equal(t, session.Keep, got.Verdict)
	s.requireOpen(t, c)
	<-requests // the list that requireOpen asked for
	_, err := s.client().RegisterTransports(ctx(t), transport("mine", "uds", 1))
	require.ErrorIs(t, err, epmd.ErrRefused)
	require.Equal(t, transport("mine", "uds", 1), <-asked)
	require.Empty(t, s.names())
	require.Contains(t, log.String(), `level=WARN msg="a registration is not admitted" name=mine remote=`+c.LocalAddr().String()+` err="the program does not admit the node: reserved"`)

	_, resp = s.register(t, "yours")
	require.Zero(t, resp.Result)
	_, resp = s.register(t, "yours")
	require.EqualValues(t, 1, resp.Result)
	require.Equal(t, node("yours", 1000), <-asked)
	require.Equal(t, node("yours", 1000), <-asked)
	require.Empty(t, asked, "once for each request")
	st := s.Stats()
	require.EqualValues(t, 2, st.Refusals[registry.RefusedNotAdmitted])
	require.EqualValues(t, 1, st.Refusals[registry.RefusedTaken])
	require.Zero(t, st.Denied)
}

// TestRequestOutcome: the hook is told what the figures count.
func TestRequestOutcome(t *testing.T) { onEngines(t, testRequestOutcome) }

func testRequestOutcome(t *testing.T, engine epmd.Engine) {
	requests := make(chan epmd.Request, 10)
	s := run(t, &epmd.Server{Engine: engine, RefuseKill: true, OnRequest: func(r epmd.Request) { requests <- r }})
	s.register(t, "foo")
	for _, b := range []string{"\x00\x04zfoo", "\x00\x04zbar", "\x00\x01k", "\x00\x04sfoo", "\x00\x01?"} {
		_, err := s.client().Exchange(ctx(t), []byte(b))
		require.NoError(t, err)
	}
	for _, want := range []session.Outcome{
		session.Answered, session.Answered, session.NotFound, session.Refused, session.Denied, session.Faulty,
	} {
		require.Equal(t, want, (<-requests).Outcome)
	}
}

// TestResolve: a name that nobody has registered is looked up in the program, by either
// request, and stays free.
func TestResolve(t *testing.T) { onEngines(t, testResolve) }

func testResolve(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MultiTransport: true, Resolve: func(name string) (wire.Node, bool) {
		return node("", 7), name == "away"
	}})
	found, err := s.client().Lookup(ctx(t), "away")
	require.NoError(t, err)
	require.Equal(t, node("away", 7), found)
	_, err = s.client().Lookup(ctx(t), "nobody")
	require.ErrorIs(t, err, epmd.ErrNotFound)
	three, err := s.client().LookupTransports(ctx(t), "away", "uds")
	require.NoError(t, err)
	require.Equal(t, []wire.Transport{{Port: 7}}, three.List)
	require.Empty(t, s.names())
	_, resp := s.register(t, "away")
	require.Zero(t, resp.Result)
	found, err = s.client().Lookup(ctx(t), "away")
	require.NoError(t, err)
	require.Equal(t, node("away", 1000), found)
}

// TestHandleUnknown: the reply is written as it is, however long, and then the connection is
// closed; without one it is closed unanswered.
func TestHandleUnknown(t *testing.T) { onEngines(t, testHandleUnknown) }

func testHandleUnknown(t *testing.T, engine epmd.Engine) {
	long := strings.Repeat("a long reply ", 100_000)
	s := run(t, &epmd.Server{Engine: engine, HandleUnknown: func(c epmd.Conn, body, reply []byte) ([]byte, bool) {
		assert.True(t, c.IsLocal())
		switch string(body) {
		case "!short":
			return append(reply, "\x00\x02ok"...), true
		case "!long":
			return append(reply, long...), true
		case "!nothing":
			return reply, true
		}
		return append(reply, "not this"...), false
	}})
	for body, want := range map[string]string{"!short": "\x00\x02ok", "!long": long, "!nothing": "", "!no": ""} {
		packet, err := wire.AppendPacket(nil, []byte(body))
		require.NoError(t, err)
		answer, err := s.client().Exchange(ctx(t), packet)
		require.NoError(t, err)
		require.Equal(t, want, string(answer), body)
	}
	require.EqualValues(t, 1, s.Stats().Faults[wire.FaultTag])
	require.EqualValues(t, 4, s.Stats().Other)
	require.EqualValues(t, 3, s.Stats().Outcomes[0][session.Answered])
}

// TestHandleUnknownOfStrangers: a peer on another machine is not answered by the program,
// and nobody whom Allow refuses.
func TestHandleUnknownOfStrangers(t *testing.T) { onEngines(t, testHandleUnknownOfStrangers) }

func testHandleUnknownOfStrangers(t *testing.T, engine epmd.Engine) {
	from := ownAddress(t)
	allow := make(chan epmd.Conn, 10)
	s := run(t, &epmd.Server{
		Engine: engine, AllowRegister: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")},
		Allow:         func(c epmd.Conn, _ wire.Tag) bool { allow <- c; return false },
		HandleUnknown: func(epmd.Conn, []byte, []byte) ([]byte, bool) { return []byte("answered"), true },
		ConnState: func(c epmd.Conn, _ epmd.ConnState) {
			host, _, err := net.SplitHostPort(c.Remote.String())
			assert.NoError(t, err)
			assert.Equal(t, host == "127.0.0.1", c.IsLocal(), c.Remote)
		},
	})
	away := &epmd.Client{Addr: s.addr, DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).DialContext}
	for _, client := range []*epmd.Client{away, s.client()} {
		answer, err := client.Exchange(ctx(t), []byte("\x00\x01?"))
		require.NoError(t, err)
		require.Empty(t, answer)
	}
	require.Len(t, allow, 1, "only the local peer can be answered at all")
	require.EqualValues(t, 1, s.Stats().Denied)
	require.EqualValues(t, 1, s.Stats().Faults[wire.FaultTag])
}

// TestHandleUnknownIsBounded: replies of the program count against MaxPendingBytes as
// lists do.
func TestHandleUnknownIsBounded(t *testing.T) { onEngines(t, testHandleUnknownIsBounded) }

func testHandleUnknownIsBounded(t *testing.T, engine epmd.Engine) {
	long := make([]byte, 16<<20) // more than sockets take
	s := run(t, &epmd.Server{Engine: engine, MaxPendingBytes: 1, HandleUnknown: func(epmd.Conn, []byte, []byte) ([]byte, bool) {
		return long, true
	}})
	first, second := s.dial(t), s.dial(t)
	for i, c := range []net.Conn{first, second} {
		_, err := c.Write([]byte("\x00\x01?"))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return s.Stats().Other == uint64(i+1) }, patience, tick)
	}
	require.Less(t, len(requireClosed(t, first)), len(long))
	require.EqualValues(t, 1, s.Stats().LimitPending)
	answer, err := io.ReadAll(second)
	require.NoError(t, err)
	require.Len(t, answer, len(long))
}

// TestRefuseKill: the server goes on, also with the relaxed check, and says so.
func TestRefuseKill(t *testing.T) { onEngines(t, testRefuseKill) }

func testRefuseKill(t *testing.T, engine epmd.Engine) {
	for _, relaxed := range []bool{false, true} {
		var log lockedBuffer
		s := run(t, &epmd.Server{
			Engine: engine, RefuseKill: true, RelaxedCommandCheck: relaxed,
			Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
		require.ErrorIs(t, s.client().Kill(ctx(t)), epmd.ErrNotAllowed)
		require.EqualValues(t, 1, s.Stats().Denied)
		require.Contains(t, log.String(), "a request is denied")
		require.Contains(t, log.String(), session.ErrKillRefused.Error())
		c, _ := s.register(t, "foo")
		require.ErrorIs(t, s.client().Kill(ctx(t)), epmd.ErrNotAllowed)
		s.requireOpen(t, c)
		require.EqualValues(t, 2, s.Stats().Outcomes[wire.TagKillReq][session.Refused])
	}
}
