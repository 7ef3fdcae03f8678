package epmd_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

func TestClientStory(t *testing.T) { onEngines(t, testClientStory) }

func testClientStory(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, RelaxedCommandCheck: true, Now: func() time.Time { return time.Unix(1_700_000_000, 0) }})
	c := s.client()

	_, err := c.Lookup(ctx(t), "foo")
	require.ErrorIs(t, err, epmd.ErrNotFound)
	full := wire.Node{Name: "foo", Port: 4711, Type: 72, Protocol: 1, Highest: 7, Lowest: 4, Extra: "e\x00xtra"}
	foo, err := c.Register(ctx(t), full)
	require.NoError(t, err)
	require.EqualValues(t, 1_700_000_001, foo.Creation())
	require.Equal(t, full, foo.Node())
	found, err := c.Lookup(ctx(t), "foo")
	require.NoError(t, err)
	require.Equal(t, full, found)

	old := node("old", 1)
	old.Highest = 5
	r, err := c.Register(ctx(t), old)
	require.NoError(t, err)
	require.EqualValues(t, 1_700_000_001%3+1, r.Creation(), "an old node is told a small creation")

	_, err = c.Register(ctx(t), node("foo", 1))
	require.ErrorIs(t, err, epmd.ErrRefused)
	_, err = c.Register(ctx(t), node(strings.Repeat("x", 256), 1))
	require.ErrorIs(t, err, registry.RefusedNameChars)
	_, err = c.Register(ctx(t), node("a\x00b", 1))
	require.ErrorIs(t, err, wire.FaultNUL)
	for name, fault := range map[string]wire.Fault{"": wire.FaultEmpty, strings.Repeat("x", 255): wire.FaultTooLong, "a\x00b": wire.FaultNUL, "\xff": wire.FaultUTF8} {
		_, err = c.Lookup(ctx(t), name)
		require.ErrorIs(t, err, fault)
		require.ErrorAs(t, err, new(*wire.Error))
	}

	names, err := c.Names(ctx(t))
	require.NoError(t, err)
	require.Equal(t, []epmd.NamePort{{Name: "old", Port: 1}, {Name: "foo", Port: 4711}}, names.Nodes)
	require.Equal(t, "name old at port 1\nname foo at port 4711\n", names.Text)

	require.NoError(t, c.Stop(ctx(t), "old"))
	<-r.Lost()
	require.ErrorIs(t, r.Err(), epmd.ErrLost)
	require.False(t, r.Held())
	require.ErrorIs(t, c.Stop(ctx(t), "old"), epmd.ErrNotFound)
	require.ErrorIs(t, c.Stop(ctx(t), ""), wire.FaultEmpty)

	dump, err := c.Dump(ctx(t))
	require.NoError(t, err)
	require.Len(t, dump.Active, 1)
	require.Equal(t, "foo", dump.Active[0].Name)
	require.Len(t, dump.Old, 1)
	require.Equal(t, "old", dump.Old[0].Name)
	require.EqualValues(t, 1, dump.Old[0].Port)

	require.True(t, foo.Held())
	require.NoError(t, foo.Close())
	require.NoError(t, foo.Close())
	require.NoError(t, foo.Err(), "closing it is no loss")
	require.False(t, foo.Held())
	_, err = c.Lookup(ctx(t), "foo")
	require.ErrorIs(t, err, epmd.ErrNotFound)
	require.NoError(t, c.Kill(ctx(t)))
	require.ErrorIs(t, s.end(t), epmd.ErrKilled)
	_, err = c.Names(ctx(t))
	require.Error(t, err, "nobody is there")
}

func TestKillNotAllowed(t *testing.T) { onEngines(t, testKillNotAllowed) }

func testKillNotAllowed(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	s.register(t, "foo")
	require.ErrorIs(t, s.client().Kill(ctx(t)), epmd.ErrNotAllowed)
	require.ErrorIs(t, s.client().Stop(ctx(t), "foo"), epmd.ErrNoAnswer)
}

// TestStrangeDaemons: whatever answers, the client says what it was.
func TestStrangeDaemons(t *testing.T) {
	calls := map[string]func(*epmd.Client) error{
		"lookup": func(c *epmd.Client) error { _, err := c.Lookup(ctx(t), "x"); return err },
		"names":  func(c *epmd.Client) error { _, err := c.Names(ctx(t)); return err },
		"dump":   func(c *epmd.Client) error { _, err := c.Dump(ctx(t)); return err },
		"kill":   func(c *epmd.Client) error { return c.Kill(ctx(t)) },
		"stop":   func(c *epmd.Client) error { return c.Stop(ctx(t), "x") },
		"register": func(c *epmd.Client) error {
			_, err := c.Register(ctx(t), node("x", 1))
			return err
		},
	}
	for name, do := range calls {
		require.ErrorIs(t, do(fake(t, "")), epmd.ErrNoAnswer, name)
		err := do(fake(t, "zz"))
		require.ErrorIs(t, err, epmd.ErrBadAnswer, name)
		require.ErrorContains(t, err, ": 7a", name)
	}
	for name, answer := range map[string]string{"names": "\x00\x00\x11\x11name", "dump": "\x00\x00\x11\x11junk", "lookup": "w\x00\x01", "register": "v\x00\x00"} {
		require.ErrorIs(t, calls[name](fake(t, answer)), epmd.ErrBadAnswer, name)
	}
}

// talker is a connection to a daemon that never stops talking.
type talker struct {
	net.Conn
	said int // bytes
}

func (*talker) Write(b []byte) (int, error) { return len(b), nil }
func (c *talker) Read(b []byte) (int, error) {
	c.said += len(b)
	return copy(b, bytes.Repeat([]byte{119}, len(b))), nil
}
func (*talker) SetDeadline(time.Time) error      { return nil }
func (*talker) SetWriteDeadline(time.Time) error { return nil }
func (*talker) Close() error                     { return nil }

// TestEndlessAnswer: of an answer that is no list no more is read than one can have.
func TestEndlessAnswer(t *testing.T) {
	for name, do := range map[string]func(*epmd.Client) error{
		"lookup":             func(c *epmd.Client) error { _, err := c.Lookup(ctx(t), "x"); return err },
		"lookup, transports": func(c *epmd.Client) error { _, err := c.LookupTransports(ctx(t), "x"); return err },
		"dialect":            func(c *epmd.Client) error { _, err := c.Dialect(ctx(t)); return err },
		"kill":               func(c *epmd.Client) error { return c.Kill(ctx(t)) },
		"stop":               func(c *epmd.Client) error { return c.Stop(ctx(t), "x") },
	} {
		nc := new(talker)
		err := do(&epmd.Client{DialContext: func(context.Context, string, string) (net.Conn, error) { return nc, nil }})
		require.ErrorIs(t, err, epmd.ErrBadAnswer, name)
		require.ErrorContains(t, err, "77 77 77", name)
		require.ErrorContains(t, err, "longer than 262144 bytes", name)
		require.LessOrEqual(t, nc.said, 1<<18+1, name)
	}
}

// fake is a daemon that gives every request the same answer and closes.
func fake(t *testing.T, answer string) *epmd.Client {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096)) // whatever it asks,
			_, _ = io.WriteString(c, answer)  // this is the answer
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		require.NoError(t, ln.Close())
		<-done
	})
	return &epmd.Client{Addr: ln.Addr().String()}
}

// TestClientTimeouts: a daemon that says nothing does not hold a client, which
// obeys its context and its own bound.
func TestClientTimeouts(t *testing.T) {
	ln := newPipeListener()
	t.Cleanup(func() { require.NoError(t, ln.Close()) })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			go func() { _, _ = io.Copy(io.Discard, c) }() // and never answer
		}
	}()
	c := &epmd.Client{DialContext: ln.dial, Timeout: 30 * time.Millisecond}
	_, err := c.Names(context.Background())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = c.Register(context.Background(), node("foo", 1))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	c.Timeout = -1
	cancelled, cancel := context.WithCancel(context.Background())
	time.AfterFunc(30*time.Millisecond, cancel)
	_, err = c.Lookup(cancelled, "foo")
	require.ErrorIs(t, err, context.Canceled)
	_, err = c.Register(cancelled, node("foo", 1))
	require.ErrorIs(t, err, context.Canceled)
}

// TestClientAddresses: what the client connects to, in which order.
func TestClientAddresses(t *testing.T) {
	for addr, want := range map[string][]string{
		"":               {"127.0.0.1:4369", "[::1]:4369"},
		":4370":          {"127.0.0.1:4370", "[::1]:4370"},
		"example.net":    {"example.net:4369"},
		"example.net:1":  {"example.net:1"},
		"192.0.2.1":      {"192.0.2.1:4369"},
		"2001:db8::1":    {"[2001:db8::1]:4369"},
		"[2001:db8::1]":  {"[2001:db8::1]:4369"},
		"[2001:db8::]:7": {"[2001:db8::]:7"},
	} {
		var tried []string
		c := epmd.Client{Addr: addr, DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
			tried = append(tried, address)
			return nil, io.ErrUnexpectedEOF
		}}
		_, err := c.Names(ctx(t))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Equal(t, want, tried, "%q", addr)
	}
}

// TestClientSharesItsTime: an address from which nothing is heard costs its share of the
// time, and not the answer of the other; the error names each, and how long it was tried.
func TestClientSharesItsTime(t *testing.T) {
	t.Parallel()
	s := run(t, &epmd.Server{})
	s.register(t, "foo")
	filtered := map[string]bool{}
	c := &epmd.Client{Timeout: 3 * time.Second, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if !filtered[address] {
			return new(net.Dialer).DialContext(ctx, network, s.addr)
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	const first, second = "127.0.0.1:4369", "[::1]:4369"
	for _, one := range []string{first, second} {
		filtered = map[string]bool{one: true}
		_, err := c.Lookup(t.Context(), "foo")
		require.NoError(t, err, "%s says nothing", one)
	}
	filtered = map[string]bool{first: true, second: true}
	c.Timeout = 2 * time.Second
	_, err := c.Names(t.Context())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Regexp(t, `^epmd: names: 127\.0\.0\.1:4369: no connection in [0-9.]+m?s; \[::1\]:4369: no connection in [0-9.]+m?s$`, err.Error())
	_, err = c.Register(t.Context(), node("bar", 1))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "[::1]:4369: no connection in ")
}

// TestClientErrors: what went wrong is said in a user's words, with the address and the time.
func TestClientErrors(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &epmd.Client{Addr: ln.Addr().String(), Timeout: time.Second}
	_, err = c.Names(t.Context())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Regexp(t, `^epmd: names: 127\.0\.0\.1:\d+ has not answered in [0-9.]+m?s$`, err.Error())
	require.NoError(t, ln.Close())
	c.Timeout = patience
	_, err = c.Names(t.Context())
	require.Regexp(t, `^epmd: names: 127\.0\.0\.1:\d+: .*refused.*, after \d+m?s$`, err.Error())
	require.ErrorAs(t, err, new(*net.OpError))
	c.Addr = "no-such-host.invalid"
	_, err = c.Names(t.Context())
	require.Regexp(t, `^epmd: names: no-such-host\.invalid: .*, after [0-9.]+m?s$`, err.Error())
	require.ErrorAs(t, err, new(*net.DNSError))
}

// TestClientAsksWhereNodesRegister: with an EPMD at each loopback address it is that of
// 127.0.0.1, and the other one sees no connection, not even an empty one: there are EPMDs
// that die of those.
func TestClientAsksWhereNodesRegister(t *testing.T) {
	four, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	port := strconv.Itoa(four.Addr().(*net.TCPAddr).Port)
	six, err := net.Listen("tcp6", "[::1]:"+port)
	if err != nil {
		t.Skip("no IPv6 here, or the port is taken there: ", err)
	}
	s := runOn(t, &epmd.Server{}, four)
	other := runOn(t, &epmd.Server{}, six)
	s.register(t, "foo")
	for _, addr := range []string{":" + port, "localhost:" + port} {
		_, err = (&epmd.Client{Addr: addr}).Lookup(t.Context(), "foo")
		require.NoError(t, err, addr)
	}
	require.Zero(t, other.Stats().Accepted)
}

// TestReregister: a registration comes back by itself, with its next creation,
// when the daemon is there again, and says so.
func TestReregister(t *testing.T) {
	t.Parallel()
	onEngines(t, testReregister)
}

func testReregister(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	first := runOn(t, &epmd.Server{Engine: engine}, ln)
	c := first.client()
	c.Reregister, c.MinBackoff, c.MaxBackoff = true, time.Millisecond, 20*time.Millisecond
	r, err := c.Register(ctx(t), node("phoenix", 1))
	require.NoError(t, err)
	defer r.Close()
	require.Len(t, r.Changes(), 1, "who sees that it is held finds it told")
	held := <-r.Changes()
	require.Equal(t, epmd.Change{Held: true, Creation: r.Creation()}, held)

	require.True(t, first.Unregister("phoenix"))
	require.Eventually(t, func() bool { return r.Held() && r.Creation() == held.Creation+1 }, patience, tick)
	lost, back := <-r.Changes(), <-r.Changes()
	require.ErrorIs(t, lost.Err, epmd.ErrLost)
	require.Equal(t, epmd.Change{Held: true, Creation: held.Creation + 1}, back)

	require.NoError(t, first.Close())
	require.Eventually(t, func() bool { return !r.Held() }, patience, tick)
	select {
	case <-r.Lost():
		require.Fail(t, "it is not lost for good")
	default:
	}
	time.Sleep(50 * time.Millisecond) // some tries fail
	ln, err = net.Listen("tcp", first.addr)
	require.NoError(t, err)
	second := runOn(t, &epmd.Server{Engine: engine}, ln)
	require.Eventually(t, func() bool { return second.View().Len() == 1 && r.Held() }, patience, tick)
	require.NoError(t, r.Close())
	<-r.Lost()
	require.NoError(t, r.Err())
	var changes []epmd.Change
	for c := range r.Changes() {
		changes = append(changes, c)
	}
	require.True(t, slices.ContainsFunc(changes, func(c epmd.Change) bool { return c.Held && c.Creation == r.Creation() }))
}

// TestReregisterIsPatient: a daemon that takes a registration and drops it at once
// is not asked again and again without a pause.
func TestReregisterIsPatient(t *testing.T) {
	t.Parallel()
	onEngines(t, testReregisterIsPatient)
}

func testReregisterIsPatient(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	s := run(t, &epmd.Server{Engine: engine})
	sub, _ := s.View().Subscribe(100)
	defer sub.Close()
	c := s.client()
	c.Reregister, c.MinBackoff, c.MaxBackoff = true, 50*time.Millisecond, time.Hour
	begun := time.Now()
	r, err := c.Register(ctx(t), node("phoenix", 1))
	require.NoError(t, err)
	for dropped := 0; dropped < 4; {
		if e := <-sub.C; e.Kind == registry.Registered {
			require.True(t, s.Unregister("phoenix"))
			dropped++
		}
	}
	// Three pauses, of at least half of 50, 100 and 200 ms.
	require.GreaterOrEqual(t, time.Since(begun), 175*time.Millisecond)
	require.NoError(t, r.Close())
}

// TestReregisterIsClosed: a registration that is looking for its daemon ends when
// it is closed.
func TestReregisterIsClosed(t *testing.T) { onEngines(t, testReregisterIsClosed) }

func testReregisterIsClosed(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	c := s.client()
	c.Reregister, c.MinBackoff = true, time.Hour
	r, err := c.Register(ctx(t), node("phoenix", 1))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.Eventually(t, func() bool { return !r.Held() }, patience, tick)
	require.NoError(t, r.Close())
}

// TestRegistrationEndsAtOnce: Close unregisters though somebody has a copy of the socket, as
// a program has that is being started.
func TestRegistrationEndsAtOnce(t *testing.T) { onEngines(t, testRegistrationEndsAtOnce) }

func testRegistrationEndsAtOnce(t *testing.T, engine epmd.Engine) {
	needFiles(t)
	s := run(t, &epmd.Server{Engine: engine})
	c := s.client()
	var copied io.Closer
	c.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			copied, err = nc.(*net.TCPConn).File()
		}
		return nc, err
	}
	r, err := c.Register(ctx(t), node("foo", 1))
	require.NoError(t, err)
	defer func() { require.NoError(t, copied.Close()) }()
	require.NoError(t, r.Close())
	_, err = s.client().Lookup(ctx(t), "foo")
	require.ErrorIs(t, err, epmd.ErrNotFound)
}
