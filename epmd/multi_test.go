package epmd_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// transport is one of a node as today's OTP would register it.
func transport(name, transport string, port uint16) wire.Node {
	n := node(name, port)
	n.Transport = transport
	return n
}

// story is what three transports of a node look like from outside.
var story = []wire.Transport{{Name: "inet_tcp", Port: 1}, {Name: "inet_tls", Port: 2}, {Name: "uds", Port: 3}}

func storyNodes() (nodes []wire.Node) {
	for _, t := range story {
		nodes = append(nodes, transport("s", t.Name, t.Port))
	}
	return nodes
}

func TestTransports(t *testing.T) { onEngines(t, testTransports) }

func testTransports(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MultiTransport: true, Now: func() time.Time { return time.Unix(1_700_000_000, 0) }})
	c := s.client()
	dialect, err := c.Dialect(ctx(t))
	require.NoError(t, err)
	require.Equal(t, wire.MultiTransport, dialect)
	r, err := c.RegisterTransports(ctx(t), storyNodes()...)
	require.NoError(t, err)
	require.Equal(t, storyNodes(), r.Nodes())
	require.Equal(t, storyNodes()[0], r.Node())
	require.Equal(t, wire.MultiTransport, r.Dialect())
	require.Equal(t, []uint32{1_700_000_001, 1_700_000_001, 1_700_000_001}, r.Creations())
	require.EqualValues(t, 1_700_000_001, r.Creation())
	old, err := c.Register(ctx(t), node("old", 4))
	require.NoError(t, err)
	require.Equal(t, wire.Standard, old.Dialect())

	found, err := c.LookupTransports(ctx(t), "s", "quic", "uds", "inet_tcp")
	require.NoError(t, err)
	require.Equal(t, epmd.Transports{
		Node: transport("s", "uds", 3), List: []wire.Transport{story[2], story[0]}, Dialect: wire.MultiTransport,
	}, found)
	_, err = c.LookupTransports(ctx(t), "s", "quic")
	require.ErrorIs(t, err, epmd.ErrNotFound)
	_, err = c.LookupTransports(ctx(t), "nobody", "uds")
	require.ErrorIs(t, err, epmd.ErrNotFound)
	found, err = c.LookupTransports(ctx(t), "s")
	require.NoError(t, err)
	require.Empty(t, found.List)
	require.Zero(t, found.Node.Port)
	found, err = c.LookupTransports(ctx(t), "old", "uds")
	require.NoError(t, err)
	require.Equal(t, []wire.Transport{{Port: 4}}, found.List)
	require.Equal(t, node("old", 4), found.Node)
	_, err = c.LookupTransports(ctx(t), "s", strings.Repeat("t", 128))
	require.ErrorIs(t, err, wire.FaultTooLong)
	_, err = c.LookupTransports(ctx(t), "")
	require.ErrorIs(t, err, wire.FaultEmpty)
	plain, err := c.Lookup(ctx(t), "s")
	require.NoError(t, err)
	require.Equal(t, node("s", 1), plain)

	_, err = c.RegisterTransports(ctx(t), transport("t", "uds", 1), transport("s", "uds", 1))
	require.ErrorIs(t, err, epmd.ErrRefused)
	_, err = c.LookupTransports(ctx(t), "t")
	require.ErrorIs(t, err, epmd.ErrNotFound, "if one is refused none is registered")

	names, err := c.Names3(ctx(t))
	require.NoError(t, err)
	nodes := []epmd.NameTransports{{Name: "old", Transports: []wire.Transport{{Port: 4}}}, {Name: "s", Transports: story}}
	require.Equal(t, nodes, names.Nodes)
	require.Equal(t, wire.MultiTransport, names.Dialect)
	require.Equal(t, s.addr, fmt.Sprintf("127.0.0.1:%d", names.Port))
	require.NoError(t, old.Close())
	dump, err := c.Dump3(ctx(t))
	require.NoError(t, err)
	require.Len(t, dump.Active, 1)
	require.Equal(t, nodes[1], dump.Active[0].NameTransports)
	require.Positive(t, dump.Active[0].FD)
	require.Equal(t, nodes[0], dump.Old[1].NameTransports)
	require.Equal(t, "t", dump.Old[0].Name)

	snapshot := s.View().Snapshot()
	require.Len(t, snapshot.Nodes[0].Transports, 3)
	require.NoError(t, r.Close())
	_, err = c.Lookup(ctx(t), "s")
	require.ErrorIs(t, err, epmd.ErrNotFound)
	st := s.Stats()
	require.Equal(t, []uint64{5, 7, 1, 1, 0, 0, 0}, []uint64{st.Alive3, st.PortPlease3, st.Names3, st.Dump3, st.Kill3, st.Stop3, st.Other})
	require.EqualValues(t, 1, st.Refusals[registry.RefusedTaken])
}

// TestTransportsElsewhere: on a daemon without the extension the client makes do, and
// says so.
func TestTransportsElsewhere(t *testing.T) { onEngines(t, testTransportsElsewhere) }

func testTransportsElsewhere(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	c := s.client()
	dialect, err := c.Dialect(ctx(t))
	require.NoError(t, err)
	require.Equal(t, wire.Standard, dialect)
	r, err := c.RegisterTransports(ctx(t), storyNodes()...)
	require.NoError(t, err)
	require.Equal(t, wire.Standard, r.Dialect())
	require.Len(t, r.Creations(), 1)
	_, err = c.RegisterTransports(ctx(t), transport("a", "uds", 1), transport("b", "uds", 1))
	require.ErrorIs(t, err, epmd.ErrDialect)
	_, err = c.RegisterTransports(ctx(t))
	require.ErrorContains(t, err, "no node")
	_, err = c.RegisterTransports(ctx(t), transport("a", strings.Repeat("t", 128), 1))
	require.ErrorIs(t, err, wire.FaultTooLong)
	_, err = c.RegisterTransports(ctx(t), transport("\xff", "uds", 1))
	require.ErrorIs(t, err, registry.RefusedNameUTF8)

	found, err := c.LookupTransports(ctx(t), "s", "uds")
	require.NoError(t, err)
	require.Equal(t, epmd.Transports{Node: node("s", 1), List: []wire.Transport{{Port: 1}}}, found)
	_, err = c.LookupTransports(ctx(t), "nobody", "uds")
	require.ErrorIs(t, err, epmd.ErrNotFound)
	want := epmd.NameTransports{Name: "s", Transports: []wire.Transport{{Port: 1}}}
	names, err := c.Names3(ctx(t))
	require.NoError(t, err)
	require.Equal(t, wire.Standard, names.Dialect)
	require.Equal(t, []epmd.NameTransports{want}, names.Nodes)
	require.NoError(t, r.Close())
	dump, err := c.Dump3(ctx(t))
	require.NoError(t, err)
	require.Equal(t, wire.Standard, dump.Dialect)
	require.Equal(t, want, dump.Old[0].NameTransports)
	require.Zero(t, s.Stats().Alive3, "their tags are none here")
	require.Positive(t, s.Stats().Other)
}

// TestStrangeBlocks: whatever answers, the client says what it was.
func TestStrangeBlocks(t *testing.T) {
	for name, do := range map[string]func(*epmd.Client) error{
		"look up":  func(c *epmd.Client) error { _, err := c.LookupTransports(ctx(t), "x", "y"); return err },
		"names":    func(c *epmd.Client) error { _, err := c.Names3(ctx(t)); return err },
		"dump":     func(c *epmd.Client) error { _, err := c.Dump3(ctx(t)); return err },
		"dialect":  func(c *epmd.Client) error { _, err := c.Dialect(ctx(t)); return err },
		"register": func(c *epmd.Client) error { _, err := c.RegisterTransports(ctx(t), node("x", 1)); return err },
	} {
		err := do(fake(t, "zzz"))
		require.ErrorIs(t, err, epmd.ErrBadAnswer, name)
		require.ErrorContains(t, err, ": 7a", name)
		if name != "dialect" {
			require.ErrorIs(t, do(fake(t, "")), epmd.ErrNoAnswer, name)
		}
	}
	for _, answer := range []string{
		"\x00\x05\x01\x00\x00\x11\x11",               // another block is to follow
		"\x00\x05\x00\x00\x00\x11",                   // broken off
		"\x00\x06\x00\x00\x00\x11\x11x",              // no line
		"\x00\x05\x01\x00\x00\x11\x11\x00\x02\x00xz", // no line in the second
	} {
		_, err := fake(t, answer).Names3(ctx(t))
		require.ErrorIs(t, err, epmd.ErrBadAnswer, "%q", answer)
		_, err = fake(t, answer).Dump3(ctx(t))
		require.ErrorIs(t, err, epmd.ErrBadAnswer, "%q", answer)
	}
}

// TestManyLongNames: lists of 3,000 long names come in blocks, and whole.
func TestManyLongNames(t *testing.T) { onEngines(t, testManyLongNames) }

func testManyLongNames(t *testing.T, engine epmd.Engine) {
	const all, each = 3000, 250
	s := run(t, &epmd.Server{Engine: engine, MultiTransport: true, Remember: all})
	c := s.client()
	name := func(i int) string { return fmt.Sprintf("%0255d", i) }
	var held []*epmd.Registration
	for begin := 0; begin < all; begin += each {
		var nodes []wire.Node
		for i := begin; i < begin+each; i++ {
			nodes = append(nodes, transport(name(i), "inet_tls", uint16(i)))
		}
		r, err := c.RegisterTransports(ctx(t), nodes...)
		require.NoError(t, err)
		held = append(held, r)
	}
	names, err := c.Names3(ctx(t))
	require.NoError(t, err)
	require.Len(t, names.Nodes, all)
	for i, n := range names.Nodes {
		want := all - 1 - i
		require.Equal(t, epmd.NameTransports{Name: name(want), Transports: []wire.Transport{{Name: "inet_tls", Port: uint16(want)}}}, n)
	}
	for _, r := range held[1:] {
		require.NoError(t, r.Close())
	}
	dump, err := c.Dump3(ctx(t))
	require.NoError(t, err)
	require.Len(t, dump.Active, each)
	require.Len(t, dump.Old, all-each)
	require.Equal(t, name(each-1), dump.Active[0].Name)

	// Each block is as long as it may be, or the next line would not have fit.
	list, err := c.Exchange(ctx(t), []byte{0, 1, byte(wire.TagDump3Req)})
	require.NoError(t, err)
	blocks := 0
	for rest := list; len(rest) > 0; blocks++ {
		block, n, err := wire.ParseBlock(rest, blocks == 0)
		require.NoError(t, err)
		require.LessOrEqual(t, n, wire.MaxBlockLen)
		require.Equal(t, block.More, n < len(rest))
		if rest = rest[n:]; block.More {
			line := bytes.IndexByte(rest[3:], '\n') + 1
			require.Greater(t, n+line, wire.MaxBlockLen)
		}
	}
	require.Greater(t, blocks, 40)
	require.NoError(t, held[0].Close())
}

// TestTransportsComeBack: all of them, in the same order, on a daemon of the same
// dialect or another.
func TestTransportsComeBack(t *testing.T) { onEngines(t, testTransportsComeBack) }

func testTransportsComeBack(t *testing.T, engine epmd.Engine) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	first := runOn(t, &epmd.Server{Engine: engine, MultiTransport: true}, ln)
	c := first.client()
	c.Reregister, c.MinBackoff, c.MaxBackoff = true, time.Millisecond, 20*time.Millisecond
	r, err := c.RegisterTransports(ctx(t), storyNodes()...)
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	creation := r.Creation()

	transports := func(s *running) []wire.Transport {
		names, err := s.client().Names3(ctx(t))
		require.NoError(t, err)
		if len(names.Nodes) == 0 {
			return nil
		}
		return names.Nodes[0].Transports
	}
	require.True(t, first.Unregister("s"))
	require.Eventually(t, func() bool { return r.Held() && r.Creation() == creation+1 }, patience, tick)
	require.Equal(t, story, transports(first))

	for _, multi := range []bool{false, true} {
		require.NoError(t, first.Close())
		ln, err = net.Listen("tcp", first.addr)
		require.NoError(t, err)
		first = runOn(t, &epmd.Server{Engine: engine, MultiTransport: multi}, ln)
		want, dialect := []wire.Transport{{Port: 1}}, wire.Standard
		if multi {
			want, dialect = story, wire.MultiTransport
		}
		require.Eventually(t, func() bool { return slices.Equal(transports(first), want) && r.Held() }, patience, tick)
		require.Equal(t, dialect, r.Dialect())
	}
}

// exchange3 sends ALIVE3_REQs on a connection and wants so many answers of 8 bytes.
func exchange3(t *testing.T, c net.Conn, nodes ...wire.Node) (results []uint8) {
	t.Helper()
	var all []byte
	for _, n := range nodes {
		var err error
		all, err = n.AppendAlive3Req(all)
		require.NoError(t, err)
	}
	_, err := c.Write(all)
	require.NoError(t, err)
	for range nodes {
		answer := make([]byte, 8)
		_, err := io.ReadFull(c, answer)
		require.NoError(t, err)
		resp, _, err := wire.ParseAlive3Resp(answer)
		require.NoError(t, err)
		results = append(results, resp.Result)
	}
	return results
}

// TestPipelinedTransports: after its first answer a node may send them all at once; others
// are served meanwhile.
func TestPipelinedTransports(t *testing.T) { onEngines(t, testPipelinedTransports) }

func testPipelinedTransports(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MultiTransport: true, MaxTransportsPerConn: 600})
	c := s.dial(t)
	require.Equal(t, []uint8{0}, exchange3(t, c, transport("first", "t", 1)))
	var nodes []wire.Node
	for i := range 1000 {
		nodes = append(nodes, transport(fmt.Sprintf("n%d", i), "t", 1))
	}
	results := exchange3(t, c, nodes...)
	require.Equal(t, 599, slices.Index(results, 1), "one holds 600 at most")
	require.EqualValues(t, 401, s.Stats().Refusals[registry.RefusedHeld])
	require.Equal(t, 600, s.View().Len())
	require.NoError(t, c.Close())
	require.Eventually(t, func() bool { return s.View().Len() == 0 }, patience, tick)
}

// TestDelayedTransports: answers that are held back come all the same, one by one.
func TestDelayedTransports(t *testing.T) {
	t.Parallel()
	onEngines(t, testDelayedTransports)
}

func testDelayedTransports(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	s := run(t, &epmd.Server{Engine: engine, MultiTransport: true, WriteDelay: 20 * time.Millisecond})
	c := s.dial(t)
	require.Equal(t, []uint8{0}, exchange3(t, c, transport("s", "t1", 1)))
	require.Equal(t, []uint8{0, 1, 0}, exchange3(t, c, transport("s", "t2", 1), transport("s", "t2", 1), transport("s", "t3", 1)))
	packet, err := transport("s", "t4", 1).AppendAlive3Req(nil)
	require.NoError(t, err)
	_, err = c.Write(packet)
	require.NoError(t, err)
	require.NoError(t, c.(*net.TCPConn).CloseWrite())
	require.Len(t, requireClosed(t, c), 8, "it is answered before the end")
	require.Eventually(t, func() bool { return s.View().Len() == 0 }, patience, tick)
}

// TestHalfTransport: half a request on a kept connection is no reason to lose the
// registration, however long it takes, and needs no goroutine or answer meanwhile.
func TestHalfTransport(t *testing.T) {
	t.Parallel()
	onEngines(t, testHalfTransport)
}

func testHalfTransport(t *testing.T, engine epmd.Engine) {
	t.Parallel()
	const timeout = 300 * time.Millisecond
	first, err := transport("s", "t1", 1).AppendAlive3Req(nil)
	require.NoError(t, err)
	s, c := runWith(t, &epmd.Server{Engine: engine, MultiTransport: true, PacketTimeout: timeout}, first)
	answer := make([]byte, 8)
	_, err = io.ReadFull(c, answer)
	require.NoError(t, err)
	packet, err := transport("s", "t2", 2).AppendAlive3Req(nil)
	require.NoError(t, err)
	for at := range packet[:len(packet)-1] {
		_, err = c.Write(packet[at : at+1])
		require.NoError(t, err)
		if at%14 == 0 { // beyond the timeout, twice
			time.Sleep(timeout + 10*time.Millisecond)
		}
		require.Equal(t, 1, s.View().Len())
	}
	s.requireOpen(t, c)
	_, err = c.Write(packet[len(packet)-1:])
	require.NoError(t, err)
	_, err = io.ReadFull(c, answer)
	require.NoError(t, err)
	require.Equal(t, []uint8{0}, exchange3(t, c, transport("s", "t3", 3)), "and goes on")
	require.Zero(t, s.Stats().TimedOut)

	_, err = c.Write(packet[:3])
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.Eventually(t, func() bool { return s.Stats().Partial == 1 && s.Stats().Conns == 0 }, patience, tick)
	require.Zero(t, s.View().Len())
}

// TestRefusedTransport: a connection whose registration was refused has a place like any
// refused one, until another is taken.
func TestRefusedTransport(t *testing.T) { onEngines(t, testRefusedTransport) }

func testRefusedTransport(t *testing.T, engine epmd.Engine) {
	var mu sync.Mutex
	states := make(map[registry.Owner][]epmd.ConnState)
	s := run(t, &epmd.Server{Engine: engine, MultiTransport: true, MaxRefused: 2, ConnState: func(c epmd.Conn, st epmd.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		states[c.Owner] = append(states[c.Owner], st)
	}})
	holder := s.dial(t)
	require.Equal(t, []uint8{0}, exchange3(t, holder, transport("s", "t", 1)))
	var refused []net.Conn
	for range 2 {
		c := s.dial(t)
		require.Equal(t, []uint8{1, 1}, slices.Concat(exchange3(t, c, transport("s", "t", 1)), exchange3(t, c, transport("s", "t", 1))))
		refused = append(refused, c)
	}
	require.Equal(t, 2, s.Stats().Refused)
	require.Equal(t, []uint8{0, 1}, exchange3(t, refused[0], transport("s", "u", 2), transport("s", "u", 2)))
	require.Equal(t, 1, s.Stats().Refused)
	require.Equal(t, 2, s.Stats().Registered)
	for range 2 { // the one that is refused still has to go, and the other not
		c := s.dial(t)
		require.Equal(t, []uint8{1}, exchange3(t, c, transport("s", "t", 1)))
	}
	require.Empty(t, requireClosed(t, refused[1]))
	s.requireOpen(t, refused[0])
	s.requireOpen(t, holder)
	require.NoError(t, s.Close())
	mu.Lock()
	defer mu.Unlock()
	counts := map[string]int{}
	for _, of := range states {
		counts[fmt.Sprint(of)]++
	}
	require.Equal(t, 1, counts["[new refused registered closed]"], "%v", counts)
	require.Equal(t, 3, counts["[new refused closed]"], "%v", counts)
}

// TestDeadTransport: no lookup that begins after a connection has ended gives a port of
// it, while another connection holds the name.
func TestDeadTransport(t *testing.T) { onEngines(t, testDeadTransport) }

func testDeadTransport(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MultiTransport: true})
	stays := s.dial(t)
	require.Equal(t, []uint8{0}, exchange3(t, stays, transport("s", "stays", 1)))
	packet, err := transport("s", "late", 3).AppendAlive3Req(nil)
	require.NoError(t, err)
	for i := range 200 {
		c := s.dial(t)
		require.Equal(t, []uint8{0}, exchange3(t, c, transport("s", "goes", 2)))
		if i%2 == 0 { // what it sends with its end comes before it
			_, err := c.Write(packet)
			require.NoError(t, err)
		}
		require.NoError(t, c.(*net.TCPConn).CloseWrite())
		// Other engines keep the order from the moment that a registration is answered.
		if i%2 == 0 && (engine != epmd.EngineEpoll || i%4 == 0) {
			require.Len(t, requireClosed(t, c), 8)
		}
		found, err := s.client().LookupTransports(ctx(t), "s", "goes", "late", "stays")
		require.NoError(t, err)
		require.Equal(t, []wire.Transport{{Name: "stays", Port: 1}}, found.List, "round %d", i)
		require.NoError(t, c.Close())
	}
}

// TestStopOfTransports: Unregister, as STOP_REQ and STOP3_REQ, closes the connections of
// all transports.
func TestStopOfTransports(t *testing.T) { onEngines(t, testStopOfTransports) }

func testStopOfTransports(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MultiTransport: true})
	one, two, other := s.dial(t), s.dial(t), s.dial(t)
	require.Equal(t, []uint8{0, 0}, slices.Concat(
		exchange3(t, one, transport("s", "t1", 1)), exchange3(t, one, transport("alike", "t1", 1))))
	require.Equal(t, []uint8{0}, exchange3(t, two, transport("s", "t2", 1)))
	require.Equal(t, []uint8{0}, exchange3(t, other, transport("other", "t2", 1)))
	require.True(t, s.Unregister("s"))
	require.Equal(t, 1, s.View().Len(), "what else they held is gone at once")
	require.Empty(t, requireClosed(t, one))
	require.Empty(t, requireClosed(t, two))
	s.requireOpen(t, other)
	require.False(t, s.Unregister("s"))
}

// TestTransportsAmongOthers: on the same server ordinary nodes come and go as ever.
func TestTransportsAmongOthers(t *testing.T) { onEngines(t, testTransportsAmongOthers) }

func testTransportsAmongOthers(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MultiTransport: true})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			c := s.client()
			for i := range 20 {
				name := fmt.Sprintf("n%d", w)
				r, err := c.RegisterTransports(ctx(t), transport(name, "a", uint16(i)), transport(name, "b", uint16(i)))
				if !none(t, err) {
					return
				}
				plain, err := c.Register(ctx(t), node("plain"+name, uint16(i)))
				if !none(t, err) {
					return
				}
				found, err := c.LookupTransports(ctx(t), name, "b", "a")
				if !none(t, err) || found.Node.Port != uint16(i) || len(found.List) != 2 {
					t.Errorf("found %+v", found)
				}
				none(t, plain.Close())
				none(t, r.Close())
			}
		})
	}
	wg.Wait()
	require.Eventually(t, func() bool { return s.View().Len() == 0 && s.Stats().Conns == 0 }, patience, tick)
}

// none says whether there was no error, and reports one.
func none(t *testing.T, err error) bool {
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

// TestOneHolder: a name is its connection's alone, whoever else asks for it.
func TestOneHolder(t *testing.T) { onEngines(t, testOneHolder) }

func testOneHolder(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MultiTransport: true, OneHolder: true})
	holder, other := s.dial(t), s.dial(t)
	require.Equal(t, []uint8{0}, exchange3(t, holder, transport("s", "t1", 1)))
	require.Equal(t, []uint8{1}, exchange3(t, other, transport("s", "t2", 2)))
	_, answer := s.register(t, "s")
	require.EqualValues(t, 1, answer.Result)
	_, _, err := s.RegisterLocal(node("s", 1))
	require.ErrorIs(t, err, registry.RefusedTaken)
	require.Equal(t, []uint8{0}, exchange3(t, holder, transport("s", "t2", 3)))
	require.EqualValues(t, 2, s.Stats().Refusals[registry.RefusedTaken])
	e, _ := s.View().Entry("s")
	require.Len(t, e.Transports, 2)
	require.NoError(t, holder.Close())
	require.Eventually(t, func() bool { return s.View().Len() == 0 }, patience, tick)
	require.Equal(t, []uint8{0}, exchange3(t, other, transport("s", "t2", 2)))
}

// TestStateOfTransports: a connection whose first transport was refused is registered, and told
// to be, with the first that is not.
func TestStateOfTransports(t *testing.T) {
	onEngines(t, func(t *testing.T, engine epmd.Engine) {
		states := make(chan epmd.ConnState, 20)
		s := run(t, &epmd.Server{
			Engine: engine, MultiTransport: true, OneHolder: true, TakenGrace: -1,
			ConnState: func(_ epmd.Conn, s epmd.ConnState) { states <- s },
		})
		require.Equal(t, []uint8{0}, exchange3(t, s.dial(t), transport("held", "a", 1)))
		require.Equal(t, epmd.StateNew, <-states)
		require.Equal(t, epmd.StateRegistered, <-states)

		c := s.dial(t)
		require.Equal(t, []uint8{1}, exchange3(t, c, transport("held", "b", 2)))
		require.Equal(t, epmd.StateNew, <-states)
		require.Equal(t, epmd.StateRefused, <-states)
		require.Equal(t, []uint8{0, 0}, exchange3(t, c, transport("free", "b", 3), transport("free", "c", 4)))
		require.NoError(t, c.Close())
		require.Equal(t, epmd.StateRegistered, <-states)
		require.Equal(t, epmd.StateClosed, <-states)
	})
}
