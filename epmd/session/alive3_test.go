package session_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// alive3 is the packet of an ALIVE3_REQ.
func alive3(name, transport string) []byte {
	packet, err := wire.Node{Name: name, Port: 7, Type: 77, Highest: 6, Lowest: 5, Transport: transport}.AppendAlive3Req(nil)
	if err != nil {
		panic(err) // a test's own mistake
	}
	return packet
}

// TestTakesMore: what the next read may ask for never goes beyond the request that is
// being read, so that those behind it wait in the socket.
func TestTakesMore(t *testing.T) {
	s := newSim(multiTransport)
	s.daemon.PacketTimeout = time.Second
	c := s.daemon.Open(1, loopback, s.now)
	require.Equal(t, wire.MaxPacketLen, c.Want())
	require.False(t, c.TakesMore())
	res := c.Feed(s.now, alive3("s", "t1"), nil)
	require.Equal(t, session.Keep, res.Verdict)
	require.Equal(t, wire.TagAlive3Req, res.Tag)
	require.Equal(t, "s", string(res.Name))
	require.True(t, c.TakesMore())
	require.True(t, c.Kept())
	require.True(t, c.Holds())
	require.False(t, c.Begun())

	packet := alive3("s", "t2")
	for at := range packet {
		switch {
		case at < 3:
			require.Equal(t, 3-at, c.Want())
		default:
			require.Equal(t, len(packet)-at, c.Want())
		}
		require.Equal(t, at > 0, c.Begun())
		require.True(t, c.Kept(), "it is, in the middle of a request too")
		require.Zero(t, c.Deadline())
		require.Equal(t, session.Result{Verdict: session.Keep}, c.Feed(s.now, nil, nil))
		res = c.Feed(s.now, append(packet[at:at+1:at+1], "behind"...)[:1], make([]byte, 20))
	}
	require.Equal(t, session.Keep, res.Verdict)
	require.Equal(t, wire.TagAlive3Req, res.Tag)
	require.Equal(t, "s", string(res.Name))
	told, _, err := wire.ParseAlive3Resp(res.Reply)
	require.NoError(t, err)
	require.Equal(t, wire.Alive3Resp{Extended: true, Creation: s.daemon.Registry.Snapshot().Nodes[0].Creation}, told)
	require.Equal(t, 3, c.Want())
	require.False(t, c.Begun())

	c = s.daemon.ResumeAlive3(1, loopback, true)
	require.True(t, c.TakesMore())
	require.True(t, c.Holds())
	require.Equal(t, registry.Owner(1), c.Owner())
	feedAll(t, s, &c, alive3("s", "t3"))
	n, of, found := s.daemon.Registry.LookupTransports([]byte("s"), wire.TransportList("\x02t1\x02t2\x02t3"), nil)
	require.True(t, found)
	require.Len(t, of, 3)
	require.Equal(t, "s", n.Name)
	c.End(registry.ReasonClosed)
	require.Zero(t, s.daemon.Registry.Len())
	require.Equal(t, session.Close, c.Feed(s.now, []byte("x"), nil).Verdict)
}

// feedAll feeds bytes as they are wanted, and gives the last result.
func feedAll(t *testing.T, s *sim, c *session.Session, b []byte) (res session.Result) {
	t.Helper()
	for len(b) > 0 {
		n := min(c.Want(), len(b))
		res = c.Feed(s.now, b[:n], nil)
		require.Equal(t, n, res.Used)
		b = b[n:]
	}
	return res
}

// TestMoreEnds: what is no further ALIVE3_REQ ends the session for that reason, as soon
// as it can be known.
func TestMoreEnds(t *testing.T) {
	for bytes, want := range map[string]error{
		"\x00\x00":         wire.FaultSize,
		"\x0b\xf2":         wire.FaultSize,
		"\x00\x09x":        session.ErrData,
		"\x00\x01N":        session.ErrData,
		"\x00\x01X":        wire.FaultShort,
		"\x00\x02X\x00":    wire.FaultShort,
		"\xff\xff":         wire.FaultSize,
		"\x00\x10zfoo\x00": session.ErrData,
	} {
		s := newSim(multiTransport)
		sub, _ := s.daemon.Registry.Subscribe(4)
		c := s.daemon.Open(1, loopback, s.now)
		require.Equal(t, session.Keep, c.Feed(s.now, alive3("s", "t1"), nil).Verdict)
		for at := range len(bytes) - 1 {
			if res := c.Feed(s.now, []byte(bytes[at:at+1]), nil); res.Verdict == session.Close {
				require.ErrorIs(t, res.Err, want, "%q", bytes)
				break
			}
		}
		if !c.Ended() {
			res := c.Feed(s.now, []byte(bytes[len(bytes)-1:]), nil)
			require.Equal(t, session.Close, res.Verdict)
			require.ErrorIs(t, res.Err, want, "%q", bytes)
		}
		require.Zero(t, s.daemon.Registry.Len())
		require.Equal(t, registry.Registered, (<-sub.C).Kind)
		require.Equal(t, registry.ReasonData, (<-sub.C).Reason)
		sub.Close()
	}
}

// TestMoreSweeps: a further ALIVE3_REQ sees what has ended before it, as each request
// does.
func TestMoreSweeps(t *testing.T) {
	s := newSim(multiTransport)
	a, b := s.daemon.Open(1, loopback, s.now), s.daemon.Open(2, loopback, s.now)
	a.Feed(s.now, alive3("s", "t1"), nil)
	b.Feed(s.now, alive3("other", "t1"), nil)
	require.ErrorIs(t, feedAll(t, s, &b, alive3("s", "t1")).Err, registry.RefusedTaken)
	s.daemon.Sweep = func([]byte) { a.End(registry.ReasonClosed) }
	require.NoError(t, feedAll(t, s, &b, alive3("s", "t1")).Err)
}

// TestMoreIsDenied: a further request that the policy does not allow is refused with an
// answer, so that nobody loses what it has.
func TestMoreIsDenied(t *testing.T) {
	s := newSim(multiTransport)
	allowed := true
	s.daemon.Policy.Allow = func(session.Peer, wire.Tag) bool { return allowed }
	c := s.daemon.Open(1, loopback, s.now)
	c.Feed(s.now, alive3("s", "t1"), nil)
	allowed = false
	res := feedAll(t, s, &c, alive3("s", "t2"))
	require.Equal(t, session.Keep, res.Verdict)
	require.ErrorIs(t, res.Err, session.ErrNotAllowed)
	require.Equal(t, "\x00\x06v\x01\x00\x00\x00\x63", string(res.Reply))
	allowed = true
	require.NoError(t, feedAll(t, s, &c, alive3("s", "t2")).Err)
	require.Equal(t, 1, s.daemon.Registry.Len())
}

// TestPortPlease3: a lookup tells the node with those of its transports that were asked
// for, and whether there was one.
func TestPortPlease3(t *testing.T) {
	s := newSim(multiTransport)
	c := s.daemon.Open(1, loopback, s.now)
	feedAll(t, s, &c, alive3("s", "t1"))
	feedAll(t, s, &c, alive3("s", "t2"))
	ask := func(name string, transports ...string) session.Result {
		list, err := wire.AppendTransports(nil, transports...)
		require.NoError(t, err)
		packet, err := wire.PortPlease3Req{Transports: list, Name: []byte(name)}.Append(nil)
		require.NoError(t, err)
		return s.open(loopback).send(packet[wire.HeaderLen:]...)
	}
	res := ask("s", "t2", "t1", "t3")
	require.Equal(t, "s", string(res.Name))
	require.Equal(t, wire.TagPortPlease3Req, res.Tag)
	require.False(t, res.Negative)
	require.NoError(t, res.Err)
	found, _, err := wire.ParsePort3Resp(res.Reply)
	require.NoError(t, err)
	require.Equal(t, "s", string(found.Name))
	require.Equal(t, []wire.Transport{{Name: "t1", Port: 7}, {Name: "t2", Port: 7}}, found.Transports.Transports())
	for _, none := range []session.Result{ask("s", "t3"), ask("nobody", "t1")} {
		require.Equal(t, "\x00\x02w\x01", string(none.Reply))
		require.True(t, none.Negative)
		require.NoError(t, none.Err)
	}
	res = s.open(loopback).send(byte(wire.TagPortPlease3Req))
	require.Equal(t, session.Close, res.Verdict)
	require.Empty(t, res.Reply)
	require.ErrorIs(t, res.Err, wire.FaultShort)
}

// TestStop3: a node is stopped with all its transports, by a daemon that is relaxed.
func TestStop3(t *testing.T) {
	s := newSim(multiTransport)
	require.ErrorIs(t, s.open(loopback).send(body(wire.TagStop3Req, "s")...).Err, session.ErrNotRelaxed)
	s.daemon.RelaxedCommandCheck = true
	for _, name := range []string{"s", "t", ""} {
		one, two := s.open(loopback), s.open(loopback)
		one.arrive(alive3(name, "t1"))
		two.arrive(alive3(name, "t2"))
		for _, unknown := range []string{"nobody", "nobody\x00"} {
			res := s.open(loopback).send(body(wire.TagStop3Req, unknown)...)
			require.Equal(t, "\x00\x07NOEXIST", string(res.Reply))
			require.Equal(t, "nobody", string(res.Name))
			require.Empty(t, res.Evict)
			require.True(t, res.Negative)
		}
		res := s.open(loopback).send(byte(wire.TagStop3Req))
		require.True(t, res.Negative, "without a name it names nobody")
		require.Len(t, s.daemon.Registry.Snapshot().Nodes, 1)
		known := name
		if name == "" {
			known = "\x00"
		}
		res = s.open(loopback).send(body(wire.TagStop3Req, known)...)
		require.Equal(t, "\x00\x07STOPPED", string(res.Reply))
		require.Equal(t, name, string(res.Name))
		require.Equal(t, []registry.Owner{one.session.Owner(), two.session.Owner()}, res.Evict)
		require.False(t, res.Negative)
		require.Empty(t, s.daemon.Registry.Snapshot().Nodes)
	}
}

// TestListThatIsNone: it is answered as if there were no such node, whatever is registered,
// and counted all the same.
func TestListThatIsNone(t *testing.T) {
	s := newSim(multiTransport)
	s.open(loopback).arrive(alive3("", "t"))
	s.open(loopback).arrive(alive3("s", "t"))
	res := s.open(loopback).send([]byte("Z\x00\x02\x00\x02\x01t\x01s")...)
	require.Equal(t, "\x00\x02w\x01", string(res.Reply))
	require.ErrorIs(t, res.Err, wire.FaultShort)
	require.Equal(t, session.Close, res.Verdict)
	require.True(t, res.Negative)
}

// TestTransportsAllocateNothing: a lookup by transports allocates nothing, also of the
// longest node, and nor does a list; a registration what the registry keeps.
func TestTransportsAllocateNothing(t *testing.T) {
	s := newSim(multiTransport)
	c := s.open(loopback)
	for i := range wire.MaxTransports {
		c.arrive(alive3("s", string(rune('A'+i))))
	}
	list, err := wire.AppendTransports(nil, "A", "B", "C", "a")
	require.NoError(t, err)
	lookup, err := wire.PortPlease3Req{Name: []byte("s"), Transports: list}.Append(nil)
	require.NoError(t, err)
	scratch := make([]byte, session.MaxReplyLen)
	var p session.Peer = nearPeer{}
	for name, packet := range map[string][]byte{
		"lookup": lookup, "names": packetOf(t, body(wire.TagNames3Req, "")), "dump": packetOf(t, body(wire.TagDump3Req, "")),
		"garbage": alive3("s", "t")[:2],
	} {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			c := s.daemon.Open(99, p, s.now)
			c.Feed(s.now, packet, scratch)
		})-map[string]float64{"garbage": 1}[name], name) // what has begun is kept
	}
}

// TestLongestPort3Resp fits in the scratch buffer.
func TestLongestPort3Resp(t *testing.T) {
	long := func(n int, b byte) string {
		s := make([]byte, n)
		for i := range s {
			s[i] = b
		}
		return string(s)
	}
	n := wire.Node{Name: long(wire.MaxNameBytes, 'n'), Extra: long(wire.MaxExtraBytes, 'e')}
	var of []wire.Transport
	for range wire.MaxTransports {
		of = append(of, wire.Transport{Name: long(wire.MaxTransportLen, 't')})
	}
	require.Len(t, n.AppendPort3Resp(nil, of), session.MaxReplyLen)
}
