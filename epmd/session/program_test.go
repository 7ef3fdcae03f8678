package session_test

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// remote is a peer on another machine.
var remote = peer{"192.0.2.2", "192.0.2.1"}

// TestAdmitNode: the program is asked once about each registration that would be made,
// before the name is looked at and without the registry's lock; its error refuses.
func TestAdmitNode(t *testing.T) {
	no := errors.New("reserved")
	var asked []wire.Node
	var told []string // what happened, in its order
	s := newSim(multiTransport)
	s.daemon.AdmitNode = func(p session.Peer, n wire.Node) error {
		require.Equal(t, loopback, p)
		s.daemon.Registry.Unregister([]byte("another"), registry.ReasonStopped) // it takes the lock
		asked, told = append(asked, n), append(told, "asked")
		if strings.HasPrefix(n.Name, "no") {
			return no
		}
		return nil
	}
	s.daemon.Sweep = func([]byte) { told = append(told, "swept") }
	requireAsked := func(n wire.Node) {
		t.Helper()
		require.Equal(t, []wire.Node{n}, asked)
		asked = nil
	}
	plain := wire.Node{Name: "foo", Port: 1000, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}

	require.NoError(t, s.open(loopback).send(register("foo")...).Err)
	requireAsked(plain)
	require.Equal(t, []string{"asked", "swept"}, told)
	require.ErrorIs(t, s.open(loopback).send(register("foo")...).Err, registry.RefusedTaken, "it is asked about a taken name too")
	requireAsked(plain)

	told = nil
	c := s.open(loopback)
	res := c.send(register("nobody")...)
	require.Equal(t, session.Keep, res.Verdict)
	require.Equal(t, "v\x01\x00\x00\x00\x63", string(res.Reply))
	require.Equal(t, "nobody", string(res.Name))
	require.ErrorIs(t, res.Err, registry.RefusedNotAdmitted)
	require.ErrorIs(t, res.Err, no)
	require.EqualError(t, res.Err, "the program does not admit the node: reserved")
	require.Equal(t, session.Refused, res.Outcome())
	require.False(t, c.session.Holds())
	require.True(t, c.session.Kept())
	require.Equal(t, []string{"asked"}, told)
	plain.Name = "nobody"
	requireAsked(plain)

	three := s.daemon.Open(99, loopback, s.now)
	require.NoError(t, feedAll(t, s, &three, alive3("three", "t1")).Err)
	node3 := wire.Node{Name: "three", Port: 7, Type: 77, Highest: 6, Lowest: 5, Transport: "t1"}
	requireAsked(node3)
	res = feedAll(t, s, &three, alive3("no3", "t2"))
	require.Equal(t, "\x00\x06v\x01\x00\x00\x00\x63", string(res.Reply))
	require.ErrorIs(t, res.Err, no)
	require.True(t, three.Holds(), "what it has registered stands")
	node3.Name, node3.Transport = "no3", "t2"
	requireAsked(node3)

	require.Equal(t, 2, s.daemon.Registry.Len())
	for name, b := range map[string][]byte{
		"too short":           {byte(wire.TagAlive2Req)},
		"NUL in the name":     bytes.ReplaceAll(register2(t, "a?b", ""), []byte("?"), []byte{0}),
		"no UTF-8":            register2(t, "\xff", ""),
		"too many characters": register2(t, strings.Repeat("a", 256), ""),
		"extra field":         register2(t, "a", strings.Repeat("e", wire.MaxExtraBytes+1)),
		"another request":     body(wire.TagPortPlease2Req, "foo"),
	} {
		s.open(loopback).send(b...)
		require.Empty(t, asked, name)
	}
	require.ErrorIs(t, s.open(remote).send(register("foo")...).Err, session.ErrNotLocal)
	s.daemon.Policy.Allow = func(session.Peer, wire.Tag) bool { return false }
	require.ErrorIs(t, s.open(loopback).send(register("foo")...).Err, session.ErrNotAllowed)
	require.ErrorIs(t, feedAll(t, s, &three, alive3("three", "t3")).Err, session.ErrNotAllowed)
	require.Empty(t, asked, "whoever may not register is not asked about")
}

// register2 is the body of an ALIVE2_REQ with any name and extra field, right or wrong.
func register2(t *testing.T, name, extra string) []byte {
	t.Helper()
	b, err := wire.Alive2Req{Port: 1, Name: []byte(name), Extra: []byte(extra)}.Append(nil)
	require.NoError(t, err)
	return b[wire.HeaderLen:]
}

// resolver is a program that knows one name.
type resolver struct {
	*sim
	node  wire.Node
	asked []string
}

func newResolver(n wire.Node) *resolver {
	r := &resolver{sim: newSim(multiTransport), node: n}
	r.daemon.Resolve = func(name string) (wire.Node, bool) {
		r.asked = append(r.asked, name)
		return r.node, name == "known"
	}
	return r
}

// lookup3 asks for a name by transports.
func (r *resolver) lookup3(t *testing.T, name string, transports ...string) session.Result {
	t.Helper()
	list, err := wire.AppendTransports(nil, transports...)
	require.NoError(t, err)
	packet, err := wire.PortPlease3Req{Transports: list, Name: []byte(name)}.Append(nil)
	require.NoError(t, err)
	return r.open(remote).send(packet[wire.HeaderLen:]...)
}

// TestResolve: the program is asked for a name that nobody has registered, and its node is
// told under that name.
func TestResolve(t *testing.T) {
	r := newResolver(wire.Node{Name: "whatever", Port: 7, Type: 72, Protocol: 1, Highest: 6, Lowest: 5, Extra: "e", Transport: "uds"})
	lookup := func(name string) session.Result { return r.open(remote).send(body(wire.TagPortPlease2Req, name)...) }
	res := lookup("known")
	require.Equal(t, session.Answered, res.Outcome())
	require.Equal(t, "known", string(res.Name))
	found, _, err := wire.ParsePort2Resp(res.Reply)
	require.NoError(t, err)
	require.Equal(t, wire.Node{Name: "known", Port: 7, Type: 72, Protocol: 1, Highest: 6, Lowest: 5, Extra: "e"}, found.Node())
	res = lookup("unknown")
	require.Equal(t, "w\x01", string(res.Reply))
	require.Equal(t, session.NotFound, res.Outcome())
	require.Equal(t, []string{"known", "unknown"}, r.asked)
	require.Zero(t, r.daemon.Registry.Len())

	r.asked = nil
	lookup("")
	r.open(loopback).send(register("known")...)
	res = lookup("known")
	require.Empty(t, r.asked, "nor is it asked for what is registered, or is no name")
	found, _, err = wire.ParsePort2Resp(res.Reply)
	require.NoError(t, err)
	require.EqualValues(t, 1000, found.Port)
	r.daemon.Registry.Unregister([]byte("known"), registry.ReasonStopped)
	r.node.Extra = strings.Repeat("e", wire.MaxExtraBytes)
	require.Equal(t, session.Answered, lookup("known").Outcome())
	r.node.Extra += "e"
	require.Equal(t, session.NotFound, lookup("known").Outcome(), "no node has such an extra field")
}

// TestResolveTransports: the program's node goes with a list of transports as a registered
// one does.
func TestResolveTransports(t *testing.T) {
	for name, tt := range map[string]struct {
		has  string
		list []string
		want []wire.Transport
		no   bool
	}{
		"no list":               {has: "uds", want: nil},
		"in the list":           {has: "uds", list: []string{"quic", "uds"}, want: []wire.Transport{{Name: "uds", Port: 7}}},
		"not in the list":       {has: "uds", list: []string{"quic"}, no: true},
		"without, with no list": {has: "", want: nil},
		"without, with a list":  {has: "", list: []string{"quic"}, want: []wire.Transport{{Port: 7}}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newResolver(wire.Node{Port: 7, Type: 77, Highest: 6, Lowest: 5, Transport: tt.has})
			res := r.lookup3(t, "known", tt.list...)
			require.Equal(t, []string{"known"}, r.asked)
			require.Equal(t, tt.no, res.Negative)
			if tt.no {
				require.Equal(t, "\x00\x02w\x01", string(res.Reply))
				return
			}
			found, _, err := wire.ParsePort3Resp(res.Reply)
			require.NoError(t, err)
			require.Equal(t, wire.Node{Name: "known", Type: 77, Highest: 6, Lowest: 5}, found.Node())
			require.Equal(t, tt.want, found.Transports.Transports())
		})
	}
	r := newResolver(wire.Node{Port: 7})
	require.Equal(t, session.NotFound, r.lookup3(t, "unknown", "uds").Outcome())
	require.Equal(t, []string{"unknown"}, r.asked)
	r.open(loopback).arrive(alive3("known", "uds"))
	require.True(t, r.lookup3(t, "known", "quic").Negative, "it is registered, though not with this")
	require.True(t, r.lookup3(t, "\xff", "uds").Negative, "no node has such a name")
	require.ErrorIs(t, r.open(remote).send([]byte("Z\x00\x02\x00\x02\x01t\x05known")...).Err, wire.FaultShort)
	require.Equal(t, []string{"unknown"}, r.asked)
}

// TestHandleUnknown: the program answers a tag that no dialect knows, for local peers, if
// Allow lets them ask.
func TestHandleUnknown(t *testing.T) {
	for _, d := range []wire.Dialect{wire.Standard, wire.MultiTransport} {
		for tag := range 256 {
			s := newSim(relaxed(true), func(s *session.Daemon) { s.Dialect = d })
			var asked []string
			s.daemon.HandleUnknown = func(p session.Peer, b, reply []byte) ([]byte, bool) {
				require.Equal(t, loopback, p)
				require.Empty(t, reply)
				require.Equal(t, len(b), cap(b), "what is behind it is not the hook's")
				asked = append(asked, string(b))
				return append(reply, "\x00\x02\x00\x01"...), true
			}
			res := s.open(loopback).send(byte(tag), 'a', 'b')
			require.Equal(t, wire.Tag(tag), res.Tag)
			s.open(remote).send(byte(tag), 'a', 'b')
			if wire.MultiTransport.Knows(wire.Tag(tag)) {
				require.Empty(t, asked, "it is a request's, in one dialect")
				continue
			}
			require.Equal(t, []string{string([]byte{byte(tag), 'a', 'b'})}, asked)
			require.Equal(t, session.Result{
				Verdict: session.Close, Used: 5, Tag: wire.Tag(tag), Reply: []byte("\x00\x02\x00\x01"),
			}, res)
			require.Equal(t, session.Answered, res.Outcome())
		}
	}
}

// TestHandleUnknownSaysNo: without an answer the connection is closed, as without the
// hook.
func TestHandleUnknownSaysNo(t *testing.T) {
	s := newSim()
	want := s.open(loopback).send('?')
	require.ErrorIs(t, want.Err, wire.FaultTag)
	asked := 0
	s.daemon.HandleUnknown = func(_ session.Peer, _, reply []byte) ([]byte, bool) {
		asked++
		return append(reply, "half an answer"...), false
	}
	require.Equal(t, want, s.open(loopback).send('?'))
	require.Equal(t, 1, asked)
	require.Equal(t, want, s.open(remote).send('?'))
	require.Equal(t, want, s.open(invalidPeer{}).send('?'))
	s.daemon.Policy.Register = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}
	require.Equal(t, want, s.open(remote).send('?'), "a list makes nobody local")

	var allowed []wire.Tag
	s.daemon.Policy.Allow = func(p session.Peer, tag wire.Tag) bool {
		require.Equal(t, loopback, p)
		allowed = append(allowed, tag)
		return false
	}
	require.Equal(t, want, s.open(remote).send('?'))
	res := s.open(loopback).send('?')
	require.ErrorIs(t, res.Err, session.ErrNotAllowed)
	require.Equal(t, session.Denied, res.Outcome())
	require.Equal(t, []wire.Tag{'?'}, allowed)
	require.Equal(t, 1, asked)
}

// TestRefuseKill: nobody ends the daemon, relaxed or not, and who would have is told apart
// from who was too early.
func TestRefuseKill(t *testing.T) {
	for _, relax := range []bool{false, true} {
		for tag, reply := range map[wire.Tag]string{wire.TagKillReq: "NO", wire.TagKill3Req: "\x00\x02NO"} {
			s := newSim(relaxed(relax), multiTransport)
			s.daemon.RefuseKill = true
			require.Equal(t, session.Result{
				Verdict: session.Close, Used: 3, Tag: tag, Reply: []byte(reply), Negative: true, Err: session.ErrKillRefused,
			}, s.open(loopback).send(byte(tag)))
			require.False(t, s.ended)
			s.open(loopback).send(register("foo")...)
			res := s.open(loopback).send(byte(tag))
			require.Equal(t, reply, string(res.Reply))
			require.Equal(t, session.Refused, res.Outcome())
			if relax {
				require.ErrorIs(t, res.Err, session.ErrKillRefused)
			} else {
				require.NoError(t, res.Err, "nodes are registered")
			}
		}
	}
	require.Equal(t, session.Refused, session.Result{Tag: wire.TagKillReq, Negative: true, Err: session.ErrKillRefused}.Outcome())
}

// TestTurnAway: a registration for which there is no room ends as one that could not be
// answered.
func TestTurnAway(t *testing.T) {
	s := newSim()
	sub, _ := s.daemon.Registry.Subscribe(4)
	defer sub.Close()
	c := s.daemon.Open(1, loopback, s.now)
	packet := packetOf(t, register("foo"))
	res := c.TurnAway(c.Feed(s.now, packet, nil))
	require.Equal(t, session.Result{
		Verdict: session.Close, Used: len(packet), Tag: wire.TagAlive2Req, Name: []byte("foo"), Err: session.ErrNoRoom,
	}, res)
	require.Equal(t, session.Denied, res.Outcome())
	require.True(t, c.Ended())
	c.End(registry.ReasonClosed)
	require.Equal(t, registry.Registered, (<-sub.C).Kind)
	require.Equal(t, registry.ReasonUnanswered, (<-sub.C).Reason)
	require.Empty(t, sub.C)
}

// TestEveryKnownTagIsAnswered: what a dialect knows has an answer.
func TestEveryKnownTagIsAnswered(t *testing.T) {
	bodies := make(map[wire.Tag][]byte)
	for _, r := range rights {
		bodies[wire.Tag(r.body[0])] = r.body
	}
	for _, d := range []wire.Dialect{wire.Standard, wire.MultiTransport} {
		for tag := range 256 {
			if tag := wire.Tag(tag); d.Knows(tag) {
				s := newSim(relaxed(true), func(s *session.Daemon) { s.Dialect = d })
				require.Contains(t, bodies, tag)
				require.NotEmpty(t, s.open(loopback).send(bodies[tag]...).Reply, tag)
			}
		}
	}
}
