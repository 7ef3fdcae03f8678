package epmd_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/registry/state"
	"github.com/goepmd/goepmd/wire"
)

// pair is a socket with both its ends.
func pair(tb testing.TB) (a, b *net.UnixConn) {
	tb.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	require.NoError(tb, err)
	end := func(fd int) *net.UnixConn {
		f := os.NewFile(uintptr(fd), "pair")
		c, err := net.FileConn(f)
		require.NoError(tb, err)
		require.NoError(tb, f.Close())
		tb.Cleanup(func() { _ = c.Close() })
		return c.(*net.UnixConn)
	}
	return end(fds[0]), end(fds[1])
}

// succeed hands a server over to another, which serves for as long as the test runs.
func (r *running) succeed(tb testing.TB, next *epmd.Server) *running {
	tb.Helper()
	a, b := pair(tb)
	resumed := make(chan error, 1)
	go func() { resumed <- next.Resume(ctx(tb), b) }()
	require.NoError(tb, r.Handoff(ctx(tb), a))
	require.NoError(tb, <-resumed)
	require.ErrorIs(tb, r.end(tb), epmd.ErrHandedOver)
	n := &running{next, r.addr, make(chan error, 1)}
	go func() { n.ended <- next.Serve() }()
	tb.Cleanup(func() { require.NoError(tb, next.Close()) })
	return n
}

// TestHandoff: everything that can be under way goes over, and goes on.
func TestHandoff(t *testing.T) {
	var mu sync.Mutex
	states := map[epmd.ConnState]int{}
	count := func(_ epmd.Conn, s epmd.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		states[s]++
	}
	old := run(t, &epmd.Server{Engine: epmd.EngineEpoll, ConnState: count, Remember: 1 << 20})
	const nodes = 600 // in more than two messages
	conns := make([]net.Conn, nodes)
	creations := make(map[string]uint32)
	long := strings.Repeat("n", 200)
	for i := range conns {
		name := long + strconv.Itoa(i)
		var resp wire.Alive2Resp
		conns[i], resp = old.register(t, name)
		creations[name] = resp.Creation
	}
	gone, resp := old.register(t, "gone")
	creations["gone"] = resp.Creation
	require.NoError(t, gone.Close())
	require.Eventually(t, func() bool { return len(old.names()) == nodes }, patience, tick)
	refused, resp := old.register(t, long+"0")
	require.EqualValues(t, 1, resp.Result)

	silent := old.dial(t)
	parts := old.dial(t) // a lookup of which two parts come before, one after
	for _, part := range []string{"\x00", "\xcbz"} {
		_, err := parts.Write([]byte(part))
		require.NoError(t, err)
		_, err = old.client().Names(ctx(t)) // it has been read
		require.NoError(t, err)
	}
	alive := old.dial(t) // a registration likewise
	packet, err := node("late", 77).AppendAlive2Req(nil)
	require.NoError(t, err)
	_, err = alive.Write(packet[:9])
	require.NoError(t, err)
	const more = 20_000 // names, so that the list does not fit into a socket
	var releases []func()
	for i := range more {
		_, release, err := old.RegisterLocal(node(fmt.Sprintf("%s-%d", long, i), 1))
		require.NoError(t, err)
		releases = append(releases, release)
	}
	reader := old.dial(t)
	_, err = reader.Write([]byte("\x00\x01n"))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		s := old.Stats()
		return s.Registered == nodes && s.Refused == 1 && s.Unfinished == 4 && s.Names == 3
	}, patience, tick)
	for _, release := range releases {
		release()
	}
	want := old.View().Snapshot()

	closing := conns[nodes-1]
	a, b := pair(t)
	resumed := make(chan error, 1)
	next := &epmd.Server{Engine: epmd.EngineEpoll, Remember: 1 << 20}
	go func() { resumed <- next.Resume(ctx(t), b) }()
	require.NoError(t, closing.Close()) // it ends about when it is handed over
	queued := make(chan error, 1)
	go func() { // somebody comes in the middle
		_, err := (&epmd.Client{Addr: old.addr}).Names(ctx(t))
		queued <- err
	}()
	require.NoError(t, old.Handoff(ctx(t), a))
	require.NoError(t, <-resumed)
	require.ErrorIs(t, old.end(t), epmd.ErrHandedOver)
	require.NoError(t, <-queued)
	require.NoError(t, old.Close())
	require.NoError(t, old.Shutdown(ctx(t)))
	now := &running{next, old.addr, make(chan error, 1)}
	go func() { now.ended <- next.Serve() }()
	t.Cleanup(func() { require.NoError(t, next.Close()) })

	require.Eventually(t, func() bool { return len(now.names()) == nodes-1 }, patience, tick, "it has ended")
	got := now.View().Snapshot()
	for i, e := range got.Nodes {
		w := want.Nodes[i+1]
		require.Equal(t, w, e)
	}
	mu.Lock()
	require.GreaterOrEqual(t, states[epmd.StateHandedOver], nodes-1+1+4)
	mu.Unlock()

	_, err = alive.Write(packet[9:])
	require.NoError(t, err)
	answer := make([]byte, 6)
	_, err = io.ReadFull(alive, answer)
	require.NoError(t, err)
	require.Equal(t, "v\x00", string(answer[:2]))
	found, err := now.client().Lookup(ctx(t), "late")
	require.NoError(t, err)
	require.EqualValues(t, 77, found.Port)
	_, err = parts.Write([]byte(long + "11"))
	require.NoError(t, err)
	require.Contains(t, string(requireClosed(t, parts)), long+"11")
	_, err = silent.Write([]byte("\x00\x01n"))
	require.NoError(t, err)
	require.Contains(t, string(requireClosed(t, silent)), "name late at port 77\n")

	list := requireClosed(t, reader)
	port, lines, err := wire.ParseListPort(list)
	require.NoError(t, err)
	require.Equal(t, now.addr, fmt.Sprintf("127.0.0.1:%d", port))
	require.Equal(t, nodes+more, bytes.Count(lines, []byte("\n")), "the whole list of then")
	require.True(t, bytes.HasSuffix(lines, []byte("\n")))

	now.requireOpen(t, refused)
	require.EqualValues(t, 1, now.Stats().Refused)
	_, err = refused.Write([]byte("x"))
	require.NoError(t, err)
	requireClosed(t, refused)
	for i := range 3 { // an end ends the registration, and it comes back with the next creation
		name := long + strconv.Itoa(i)
		require.NoError(t, conns[i].Close())
		_, resp := now.register(t, name)
		require.Zero(t, resp.Result)
		require.Equal(t, creations[name]+1, resp.Creation)
	}
	_, resp = now.register(t, "gone")
	require.Equal(t, creations["gone"]+1, resp.Creation)
	_, err = conns[5].Write([]byte("x"))
	require.NoError(t, err)
	requireClosed(t, conns[5])

	third := now.succeed(t, &epmd.Server{Engine: epmd.EngineEpoll})
	require.Len(t, third.names(), nodes)
	third.requireOpen(t, conns[7])
	require.NoError(t, third.Close())
	requireClosed(t, conns[7])
	requireClosed(t, alive)
}

// hello is what a successor says first.
func hello(version uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte("GOEPMDH\x01"), version)
}

// receive takes the state and the descriptors that a server sends.
func receive(c *net.UnixConn) (state.State, []int, error) {
	var n [4]byte
	if _, err := io.ReadFull(c, n[:]); err != nil {
		return state.State{}, nil, err
	}
	s, err := state.Read(c, 1<<30)
	if err != nil {
		return s, nil, err
	}
	var files []int
	for len(files) < int(binary.BigEndian.Uint32(n[:])) {
		oob := make([]byte, 4096)
		_, k, _, _, err := c.ReadMsgUnix(make([]byte, 1), oob)
		if err != nil {
			return s, files, err
		}
		msgs, err := unix.ParseSocketControlMessage(oob[:k])
		if err != nil {
			return s, files, err
		}
		for i := range msgs {
			got, err := unix.ParseUnixRights(&msgs[i])
			if err != nil {
				return s, files, err
			}
			files = append(files, got...)
		}
	}
	return s, files, nil
}

// TestHandoffFails: whatever a successor does but serve, the server goes on.
func TestHandoffFails(t *testing.T) {
	type successor func(t *testing.T, c *net.UnixConn)
	say := func(b string) successor {
		return func(_ *testing.T, c *net.UnixConn) { _, _ = c.Write([]byte(b)) }
	}
	take := func(answers ...string) successor {
		return func(t *testing.T, c *net.UnixConn) {
			_, err := c.Write(hello(state.Version))
			require.NoError(t, err)
			_, files, err := receive(c)
			require.NoError(t, err)
			for _, fd := range files {
				require.NoError(t, unix.Close(fd))
			}
			for i, a := range answers {
				if i > 0 {
					_, _ = c.Read(make([]byte, 1)) // the word to serve
				}
				_, err := c.Write([]byte(a))
				require.NoError(t, err)
			}
		}
	}
	tests := map[string]struct {
		successor successor
		err       string
	}{
		"ends at once":             {say(""), "the successor ended"},
		"speaks another protocol":  {say("HTTP/1.1 400 Bad"), "something strange"},
		"speaks a newer protocol":  {say("GOEPMDH\x02\x00\x01"), "something strange"},
		"is too old":               {say(string(hello(state.Version - 1))), fmt.Sprintf("the successor is too old: it reads states up to version %d, and this is version %d", state.Version-1, state.Version)},
		"ends before the state":    {say(string(hello(state.Version))), "the successor ended"},
		"ends with the state":      {take(), "the successor ended"},
		"refuses":                  {take("X\x00\x05no, I"), "the successor refuses: no, I"},
		"refuses, and not in full": {take("X\x00\x05no"), "the successor ended"},
		"is ready, and ends":       {take("R", ""), "the successor ended"},
		"is ready, and babbles":    {take("R", "?"), "something strange"},
		"answers strangely":        {take("?"), "something strange"},
	}
	s := run(t, &epmd.Server{Engine: epmd.EngineEpoll})
	for i := range 300 {
		s.register(t, strconv.Itoa(i))
	}
	refused, _ := s.register(t, "0")
	before := s.View().Snapshot()
	check := func(t *testing.T, part net.Conn) {
		after := s.View().Snapshot()
		require.Equal(t, before.Nodes, after.Nodes)
		_, err := part.Write([]byte("1"))
		require.NoError(t, err)
		require.Contains(t, string(requireClosed(t, part)), "1", "what had begun is answered")
		s.requireOpen(t, refused)
		c, resp := s.register(t, "new")
		require.Zero(t, resp.Result)
		require.NoError(t, c.Close())
		require.Eventually(t, func() bool { return s.Stats().Conns == 301 }, patience, tick)
	}
	part := func(t *testing.T) net.Conn {
		c := s.dial(t)
		_, err := c.Write([]byte("\x00\x02z"))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return s.Stats().Unfinished == 1 }, patience, tick)
		return c
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			part := part(t)
			a, b := pair(t)
			done := make(chan struct{})
			go func() {
				defer close(done)
				tt.successor(t, b)
				_ = b.Close()
			}()
			err := s.Handoff(ctx(t), a)
			<-done
			require.ErrorIs(t, err, epmd.ErrHandoff)
			require.ErrorContains(t, err, tt.err)
			check(t, part)
		})
	}
	t.Run("says nothing", func(t *testing.T) {
		part := part(t)
		a, _ := pair(t)
		short, cancel := context.WithTimeout(ctx(t), 10*time.Millisecond)
		defer cancel()
		err := s.Handoff(short, a)
		require.ErrorIs(t, err, epmd.ErrHandoff)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		enough, end := context.WithCancel(ctx(t))
		defer end()
		c, b := pair(t)
		_, err = b.Write(hello(state.Version))
		require.NoError(t, err)
		go func() {
			_, files, _ := receive(b) // what fails, Handoff tells
			for _, fd := range files {
				_ = unix.Close(fd)
			}
			end()
		}()
		err = s.Handoff(enough, c)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "the successor is not ready")
		check(t, part)
	})
	t.Run("closed meanwhile", func(t *testing.T) {
		a, b := pair(t)
		closed := make(chan error, 1)
		go func() {
			_, _ = b.Write(hello(state.Version))
			_, _, _ = receive(b)
			go func() { closed <- s.Close() }()
			time.Sleep(10 * time.Millisecond) // most likely it is waiting by now
			_ = b.Close()
		}()
		require.ErrorIs(t, s.Handoff(ctx(t), a), epmd.ErrHandoff)
		require.NoError(t, <-closed)
		require.ErrorIs(t, s.Handoff(ctx(t), a), epmd.ErrHandoff)
		requireClosed(t, refused)
	})
}

// TestResumeFails: a successor that does not get to serve has touched nothing, and
// leaves nothing open.
func TestResumeFails(t *testing.T) {
	s := run(t, &epmd.Server{Engine: epmd.EngineEpoll})
	for i := range 20 {
		s.register(t, strconv.Itoa(i))
	}
	a, b := pair(t)
	_, err := b.Write(hello(state.Version))
	require.NoError(t, err)
	handed := make(chan error, 1)
	go func() { handed <- s.Handoff(ctx(t), a) }()
	st, files, err := receive(b)
	require.NoError(t, err)
	defer func() { require.ErrorIs(t, <-handed, epmd.ErrHandoff) }()
	defer func() { require.NoError(t, b.Close()) }()

	whole := state.Append(nil, st)
	newer := bytes.Clone(whole)
	newer[7]++
	twice := st
	twice.Names.Old = append(twice.Names.Old, twice.Names.Nodes[0])
	numbers := st
	numbers.Conns = append([]state.Conn(nil), st.Conns...)
	numbers.Conns[3].Owner = numbers.Conns[4].Owner
	for name, tt := range map[string]struct {
		state []byte
		files int // how many of them are sent
		more  string
		err   string
	}{
		"nothing":          {nil, 0, "", "says nothing"},
		"no state":         {[]byte(strings.Repeat("x", 100)), 0, "", "damaged"},
		"a newer state":    {newer, 0, "", fmt.Sprintf("version %d, and this program reads up to %d", state.Version+1, state.Version)},
		"half a state":     {whole[:len(whole)/2], 0, "", "damaged"},
		"a name twice":     {state.Append(nil, twice), len(files), "", "comes twice"},
		"a number twice":   {state.Append(nil, numbers), len(files), "", "numbers that cannot be"},
		"too few files":    {whole, 3, "", "descriptors do not come"},
		"no word":          {whole, len(files), "", "the other server goes on"},
		"a strange word":   {whole, len(files), "?", "the other server goes on"},
		"files of no kind": {whole, -len(files), "", "listener"},
	} {
		t.Run(name, func(t *testing.T) {
			open := openFiles(t)
			a, b := pair(t)
			go func() {
				_, _ = io.ReadFull(a, make([]byte, len(hello(0))))
				if tt.state != nil {
					_, _ = a.Write(binary.BigEndian.AppendUint32(nil, uint32(len(files))))
					_, _ = a.Write(tt.state)
				}
				send := slices.Clone(files[:max(tt.files, 0)])
				if tt.files < 0 {
					r, w, _ := os.Pipe()
					for range files {
						send = append(send, int(r.Fd()))
					}
					defer func() { _, _ = r.Close(), w.Close() }()
				}
				if len(send) > 0 {
					_, _, _ = a.WriteMsgUnix([]byte("F"), unix.UnixRights(send...), nil)
				}
				_, _ = a.Write([]byte(tt.more))
				_ = a.CloseWrite()
			}()
			next := &epmd.Server{Engine: epmd.EngineEpoll}
			err := next.Resume(ctx(t), b)
			require.ErrorIs(t, err, epmd.ErrHandoff)
			require.ErrorContains(t, err, tt.err)
			require.Error(t, next.Serve())
			require.Zero(t, next.View().Len(), "it lists nobody whom it does not serve")
			_, _ = a.Close(), b.Close()
			require.Eventually(t, func() bool { return openFiles(t) <= open }, patience, tick)
		})
	}
}

// TestHandoffLeavesNothing: when it is over, each descriptor is held once.
func TestHandoffLeavesNothing(t *testing.T) {
	s := run(t, &epmd.Server{Engine: epmd.EngineEpoll})
	for i := range 100 {
		s.register(t, strconv.Itoa(i))
	}
	open := openFiles(t)
	for range 4 {
		s = s.succeed(t, &epmd.Server{Engine: epmd.EngineEpoll})
	}
	const sockets = 4 * 2 // of the handovers, until the test ends
	require.Eventually(t, func() bool { return openFiles(t) <= open+sockets+4 }, patience, tick)
	require.Len(t, s.names(), 100)
}

// TestHandoffOfPortable: the portable engine hands nothing over and says so at once, to
// whoever asks it and to whoever would give it something; both servers go on.
func TestHandoffOfPortable(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	wrapped := runOn(t, new(epmd.Server), tls.NewListener(ln, &tls.Config{Certificates: make([]tls.Certificate, 1)}))
	forced := run(t, &epmd.Server{Engine: epmd.EnginePortable})
	for _, s := range []*running{wrapped, forced} {
		require.Eventually(t, func() bool { return len(s.Addrs()) == 1 }, patience, tick)
		a, _ := pair(t)
		err = s.Handoff(ctx(t), a)
		require.ErrorIs(t, err, epmd.ErrHandoff)
		require.ErrorIs(t, err, epmd.ErrPortable)
		require.NoError(t, s.Check(ctx(t)))
	}

	s := run(t, &epmd.Server{Engine: epmd.EngineEpoll})
	c, _ := s.register(t, "stays")
	a, b := pair(t)
	next := &epmd.Server{Engine: epmd.EnginePortable}
	resumed := make(chan error, 1)
	go func() { resumed <- next.Resume(ctx(t), b) }()
	err = s.Handoff(ctx(t), a)
	require.ErrorIs(t, err, epmd.ErrHandoff)
	require.ErrorContains(t, err, "the successor refuses: "+epmd.ErrPortable.Error())
	err = <-resumed
	require.ErrorIs(t, err, epmd.ErrHandoff)
	require.ErrorIs(t, err, epmd.ErrPortable)
	require.Error(t, next.Serve())
	s.requireOpen(t, c)
	require.Equal(t, []string{"stays"}, s.names())
}

// TestHandoffOfUnixSocket: its file stays where it is.
func TestHandoffOfUnixSocket(t *testing.T) {
	ln, err := net.Listen("unix", t.TempDir()+"/epmd")
	require.NoError(t, err)
	s := runOn(t, &epmd.Server{Engine: epmd.EngineEpoll}, ln)
	dial := func() net.Conn {
		c, err := net.Dial("unix", s.addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
		return c
	}
	c := dial()
	packet, err := node("a", 1).AppendAlive2Req(nil)
	require.NoError(t, err)
	_, err = c.Write(packet)
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, 6))
	require.NoError(t, err)
	s = s.succeed(t, &epmd.Server{Engine: epmd.EngineEpoll})
	names := dial()
	_, err = names.Write([]byte("\x00\x01n"))
	require.NoError(t, err)
	require.Contains(t, string(requireClosed(t, names)), "name a at port 1\n")
	require.NoError(t, c.Close())
	require.Eventually(t, func() bool { return len(s.names()) == 0 }, patience, tick)
}

// TestOwnersNeverAgainAfterHandoff: likewise of connections that were never registered.
func TestOwnersNeverAgainAfterHandoff(t *testing.T) {
	testOwnersNeverAgain(t, epmd.EngineEpoll, func(s *running, next *epmd.Server) *running {
		for range 20 {
			_, err := s.client().Names(ctx(t))
			require.NoError(t, err)
		}
		return s.succeed(t, next)
	})
}

// TestHandoffOfTransports: a connection that registers several transports goes on
// doing so, also when the next request has arrived in part.
func TestHandoffOfTransports(t *testing.T) {
	request := func(name, transport string, port uint16) []byte {
		n := node(name, port)
		n.Transport = transport
		b, err := n.AppendAlive3Req(nil)
		require.NoError(t, err)
		return b
	}
	answered := func(c net.Conn, result byte) {
		t.Helper()
		answer := make([]byte, 2+6)
		_, err := io.ReadFull(c, answer)
		require.NoError(t, err)
		require.Equal(t, []byte{0, 6, 'v', result}, answer[:4])
	}
	s := run(t, &epmd.Server{Engine: epmd.EngineEpoll, MultiTransport: true})
	s.register(t, "plain")
	var conns []net.Conn
	third := request("a", "uds", 3)
	parts := []int{0, 1, 2, 3, 4, 10, len(third) - 1}
	for i := range parts {
		c := s.dial(t)
		name := string(rune('a' + i))
		for j, transport := range []string{"inet_tcp", "inet_tls"} {
			_, err := c.Write(request(name, transport, uint16(j+1)))
			require.NoError(t, err)
			answered(c, 0)
		}
		conns = append(conns, c)
	}
	refused := s.dial(t)
	_, err := refused.Write(request("a", "inet_tcp", 9))
	require.NoError(t, err)
	answered(refused, 1)
	for i, n := range parts {
		_, err := conns[i].Write(request(string(rune('a'+i)), "uds", 3)[:n])
		require.NoError(t, err)
	}
	for range 3 { // so that what was sent has most likely been read
		_, err := s.client().Names(ctx(t))
		require.NoError(t, err)
	}
	before, err := s.client().Names3(ctx(t))
	require.NoError(t, err)
	s = s.succeed(t, &epmd.Server{Engine: epmd.EngineEpoll, MultiTransport: true})
	after, err := s.client().Names3(ctx(t))
	require.NoError(t, err)
	require.Equal(t, before, after)
	for i, n := range parts {
		_, err := conns[i].Write(request(string(rune('a'+i)), "uds", 3)[n:])
		require.NoError(t, err)
		answered(conns[i], 0)
	}
	_, err = refused.Write(request("z", "inet_tcp", 9))
	require.NoError(t, err)
	answered(refused, 0)
	list, err := s.client().Names3(ctx(t))
	require.NoError(t, err)
	three := []wire.Transport{{Name: "inet_tcp", Port: 1}, {Name: "inet_tls", Port: 2}, {Name: "uds", Port: 3}}
	for i := range parts {
		require.Contains(t, list.Nodes, epmd.NameTransports{Name: string(rune('a' + i)), Transports: three})
	}
	require.Contains(t, list.Nodes, epmd.NameTransports{Name: "z", Transports: []wire.Transport{{Name: "inet_tcp", Port: 9}}})
	_, err = conns[0].Write([]byte("\x00\x01n"))
	require.NoError(t, err)
	requireClosed(t, conns[0])
	require.NoError(t, conns[1].Close())
	require.Eventually(t, func() bool { return s.Stats().Registered == len(parts)-2+2 }, patience, tick)
}

// TestHandoffOfLocals: what the program of a server has registered ends with it; for the
// successor it has ended, and its creation goes on. Where nothing is handed over, it stands.
func TestHandoffOfLocals(t *testing.T) {
	s := run(t, &epmd.Server{Engine: epmd.EngineEpoll, MultiTransport: true})
	_, _ = s.register(t, "theirs")
	both := s.dial(t)
	require.Equal(t, []uint8{0}, exchange3(t, both, transport("both", "inet_tcp", 1)))
	_, _ = local(t, s.Server, "both")
	creation, release := local(t, s.Server, "mine")

	a, b := pair(t)
	require.NoError(t, b.Close())
	require.ErrorIs(t, s.Handoff(ctx(t), a), epmd.ErrHandoff)
	require.Equal(t, []string{"mine", "both", "theirs"}, s.names())

	old := s
	sub, _ := old.View().Subscribe(2)
	s = s.succeed(t, &epmd.Server{Engine: epmd.EngineEpoll, MultiTransport: true})
	for _, want := range []string{"both", "mine"} {
		e := <-sub.C
		require.Equal(t, want, e.Node.Name)
		require.Equal(t, registry.ReasonShutdown, e.Reason)
	}
	_, _, err := old.RegisterLocal(node("new", 1))
	require.ErrorIs(t, err, epmd.ErrServerClosed)
	release()

	require.Equal(t, []string{"both", "theirs"}, s.names())
	e, _ := s.View().Entry("both")
	require.Len(t, e.Transports, 1)
	again, _ := local(t, s.Server, "mine")
	require.Equal(t, creation+1, again)
}

// TestHandoffOfWaiters: who waits for a taken name goes over as one whose request is not
// answered yet, and waits again, in the same order and with as much time; a successor that
// grants none refuses at once.
func TestHandoffOfWaiters(t *testing.T) {
	old := run(t, &epmd.Server{Engine: epmd.EngineEpoll, TakenGrace: time.Hour, MultiTransport: true})
	slow := old.dial(t)
	packet, err := node("foo", 3).AppendAlive2Req(nil)
	require.NoError(t, err)
	_, err = slow.Write(packet[:1])
	require.NoError(t, err)
	require.Eventually(t, func() bool { return old.Stats().Unfinished == 1 }, patience, tick)
	holder, _ := old.register(t, "foo")
	waits := []asker{old.await(t, node("foo", 1)), old.await(t, node("foo", 2))}
	_, err = slow.Write(packet[1:]) // it has come first, and asks last
	require.NoError(t, err)
	old.requireWaiting(t, "foo", 3)
	waits = append(waits, asker{slow, false})
	refused := old.ask(t, transport("bar", "tls", 4)) // holds one, and waits for another
	require.Zero(t, refused.answer(t).Result)
	refused.ask(t, transport("foo", "tls", 4))
	old.requireWaiting(t, "foo", 4)
	waits = append(waits, refused)

	next := old.succeed(t, &epmd.Server{Engine: epmd.EngineEpoll, TakenGrace: time.Hour, MultiTransport: true})
	next.requireWaiting(t, "foo", 4)
	require.Equal(t, 3, next.Stats().Unfinished)
	waits = append(waits, next.await(t, node("foo", 5)))
	for i, c := range waits[:3] {
		require.NoError(t, holder.Close())
		require.Zero(t, c.answer(t).Result, "%d", i)
		holder = c
	}
	strict := next.succeed(t, &epmd.Server{Engine: epmd.EngineEpoll, TakenGrace: -1, MultiTransport: true})
	for _, c := range waits[3:] {
		require.EqualValues(t, 1, c.answer(t).Result)
		strict.requireOpen(t, c)
	}
	require.Equal(t, []string{"bar", "foo"}, slices.Sorted(slices.Values(strict.names())))
}

// TestHandoffThatFailsKeepsWaiters: nobody who waits notices it.
func TestHandoffThatFailsKeepsWaiters(t *testing.T) {
	s := run(t, &epmd.Server{Engine: epmd.EngineEpoll, TakenGrace: time.Hour})
	holder, _ := s.register(t, "foo")
	waits := s.await(t, node("foo", 1))
	a, b := pair(t)
	require.NoError(t, b.Close())
	require.ErrorIs(t, s.Handoff(ctx(t), a), epmd.ErrHandoff)
	require.Equal(t, 1, s.WaitingFor("foo"))
	require.NoError(t, holder.Close())
	require.Zero(t, waits.answer(t).Result)
}
