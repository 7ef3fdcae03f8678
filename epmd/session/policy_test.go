package session_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// rights are a request for each right, and which list of a policy gives it to others.
var rights = []struct {
	right session.Right
	body  []byte
	list  func(*session.Policy) *[]netip.Prefix
	open  bool // to everybody where there is no list
}{
	{session.RightLookup, body(wire.TagPortPlease2Req, "foo"), func(p *session.Policy) *[]netip.Prefix { return &p.Lookup }, true},
	{session.RightNames, body(wire.TagNamesReq, ""), func(p *session.Policy) *[]netip.Prefix { return &p.Names }, true},
	{session.RightRegister, register("bar"), func(p *session.Policy) *[]netip.Prefix { return &p.Register }, false},
	{session.RightDump, body(wire.TagDumpReq, ""), func(p *session.Policy) *[]netip.Prefix { return &p.Stop }, false},
	{session.RightStop, body(wire.TagStopReq, "foo"), func(p *session.Policy) *[]netip.Prefix { return &p.Stop }, false},
	{session.RightKill, body(wire.TagKillReq, ""), func(p *session.Policy) *[]netip.Prefix { return &p.Stop }, false},

	{session.RightLookup, body(wire.TagPortPlease3Req, "\x00\x00\x00\x00\x03foo"), func(p *session.Policy) *[]netip.Prefix { return &p.Lookup }, true},
	{session.RightNames, body(wire.TagNames3Req, ""), func(p *session.Policy) *[]netip.Prefix { return &p.Names }, true},
	{session.RightRegister, register3("baz"), func(p *session.Policy) *[]netip.Prefix { return &p.Register }, false},
	{session.RightDump, body(wire.TagDump3Req, ""), func(p *session.Policy) *[]netip.Prefix { return &p.Stop }, false},
	{session.RightStop, body(wire.TagStop3Req, "foo"), func(p *session.Policy) *[]netip.Prefix { return &p.Stop }, false},
	{session.RightKill, body(wire.TagKill3Req, ""), func(p *session.Policy) *[]netip.Prefix { return &p.Stop }, false},
}

// register3 is the body of an ALIVE3_REQ for a node of the given name.
func register3(name string) []byte {
	packet, err := wire.Node{Name: name, Port: 1000, Highest: 6, Transport: "inet_tls"}.AppendAlive3Req(nil)
	if err != nil {
		panic(err) // a test's own mistake
	}
	return packet[wire.HeaderLen:]
}

// generous is a daemon that knows all requests and allows them to local peers.
func generous() *sim {
	return newSim(relaxed(true), func(d *session.Daemon) { d.Dialect = wire.MultiTransport })
}

// TestEveryRequestHasARight: no request of a dialect is without one, and no other tag
// has one.
func TestEveryRequestHasARight(t *testing.T) {
	seen := make(map[session.Right]bool)
	for tag := range 256 {
		tag := wire.Tag(tag)
		r := session.RightOf(tag)
		require.Equal(t, wire.MultiTransport.Knows(tag), r <= session.RightStop, tag)
		seen[r] = true
	}
	for _, r := range rights {
		require.Equal(t, r.right, session.RightOf(wire.Tag(r.body[0])))
		require.True(t, seen[r.right])
	}
	require.Len(t, seen, int(session.RightStop)+2, "and that of what is no request")
}

func TestRightString(t *testing.T) {
	for r, want := range map[session.Right]string{
		session.RightLookup: "lookup", session.RightNames: "names", session.RightRegister: "register",
		session.RightDump: "dump", session.RightKill: "kill", session.RightStop: "stop", 99: "right 99",
	} {
		require.Equal(t, want, r.String())
	}
}

// TestPolicy: what a list does to its own right, and to no other.
func TestPolicy(t *testing.T) {
	networks := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), {}, netip.MustParsePrefix("fd01::/16"), netip.MustParsePrefix("fe80::/10")}
	peers := []struct {
		name          string
		peer          session.Peer
		local, listed bool
	}{
		{"loopback", loopback, true, false},
		{"loopback of IPv6", peer{"::1", "::1"}, true, false},
		{"own address", peer{"192.0.2.1", "192.0.2.1"}, true, false},
		{"listed", peer{"10.1.255.255", "192.0.2.1"}, false, true},
		{"listed and mapped", peer{"::ffff:10.1.0.0", "::ffff:192.0.2.1"}, false, true},
		{"listed, of IPv6", peer{"fd01::1", "2001:db8::1"}, false, true},
		{"listed, with a zone", peer{"fe80::2%eth0", "fe80::1%eth0"}, false, true},
		{"just below", peer{"10.0.255.255", "192.0.2.1"}, false, false},
		{"just above", peer{"10.2.0.0", "192.0.2.1"}, false, false},
		{"above, of IPv6", peer{"fd02::1", "2001:db8::1"}, false, false},
		{"listed is only the own end", peer{"192.0.2.9", "10.1.0.1"}, false, false},
		{"no address", invalidPeer{}, false, false},
	}
	for _, of := range rights[:session.RightStop] { // dump, kill and stop have one
		for name, list := range map[string][]netip.Prefix{"no list": nil, "an empty list": {}, "networks": networks} {
			for _, r := range rights {
				for _, p := range peers {
					t.Run(fmt.Sprintf("%s of %s/%s/%s", name, of.right, wire.Tag(r.body[0]), p.name), func(t *testing.T) {
						s := generous()
						*of.list(&s.daemon.Policy) = list
						s.open(loopback).send(register("foo")...)
						var got []netip.Prefix
						if *r.list(&s.daemon.Policy) != nil {
							got = list
						}
						want := error(nil)
						switch {
						case p.local, got == nil && r.open, len(got) > 0 && p.listed:
						case len(got) == 0:
							want = session.ErrNotLocal
						default:
							want = session.ErrNotListed
						}
						s.requireAllowed(t, p.peer, r.body, want)
					})
				}
			}
		}
	}
}

// TestPolicyOfOneNetwork: a list of one network is a list.
func TestPolicyOfOneNetwork(t *testing.T) {
	for _, r := range rights {
		s := generous()
		*r.list(&s.daemon.Policy) = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
		s.open(loopback).send(register("foo")...)
		s.requireAllowed(t, peer{"10.2.0.1", "192.0.2.1"}, r.body, session.ErrNotListed)
		s.requireAllowed(t, peer{"10.1.0.1", "192.0.2.1"}, r.body, nil)
	}
}

// requireAllowed sends a request to a daemon on which foo is registered, and sees
// whether it is answered, or closed for the wanted error with nothing changed.
func (s *sim) requireAllowed(t *testing.T, p session.Peer, body []byte, want error) {
	t.Helper()
	before := s.daemon.Registry.Snapshot()
	res := s.open(p).send(body...)
	require.Equal(t, want, res.Err)
	require.Equal(t, wire.Tag(body[0]), res.Tag)
	if want == nil {
		require.NotEmpty(t, res.Reply)
		return
	}
	require.Empty(t, res.Reply)
	require.Empty(t, res.Evict)
	require.Equal(t, session.Close, res.Verdict)
	require.False(t, s.ended)
	require.Equal(t, before, s.daemon.Registry.Snapshot())
}

// TestPolicyAllow: the program's own rule is asked what the lists allow, and nothing
// else; it can refuse even local peers, and open nothing.
func TestPolicyAllow(t *testing.T) {
	for _, r := range rights {
		for _, yes := range []bool{true, false} {
			s := generous()
			s.open(loopback).send(register("foo")...)
			var asked []session.Peer
			s.daemon.Policy.Allow = func(p session.Peer, tag wire.Tag) bool {
				require.Equal(t, wire.Tag(r.body[0]), tag)
				asked = append(asked, p)
				return yes
			}
			stranger := peer{"10.0.0.9", "10.0.0.1"}
			if r.open {
				s.daemon.Policy.Lookup, s.daemon.Policy.Names = []netip.Prefix{}, []netip.Prefix{}
			}
			s.requireAllowed(t, stranger, r.body, session.ErrNotLocal)
			require.Empty(t, asked)
			want := session.ErrNotAllowed
			if yes {
				want = nil
			}
			s.requireAllowed(t, loopback, r.body, want)
			require.Equal(t, []session.Peer{loopback}, asked)
		}
	}
}

// TestPolicyGoesBeforeFaults: whoever may not ask is not told that it asked wrongly.
func TestPolicyGoesBeforeFaults(t *testing.T) {
	s := newSim()
	s.daemon.Policy.Lookup = []netip.Prefix{}
	swept := false
	s.daemon.Sweep = func([]byte) { swept = true }
	res := s.open(peer{"10.0.0.9", "10.0.0.1"}).send(byte(wire.TagPortPlease2Req))
	require.ErrorIs(t, res.Err, session.ErrNotLocal)
	require.False(t, swept, "nor is anything done for it")
}

// remotePeer costs nothing to ask.
type remotePeer struct{}

var (
	far    = netip.MustParseAddr("10.1.2.3")
	farOwn = netip.MustParseAddr("10.9.9.9")
)

func (remotePeer) Remote() netip.Addr { return far }
func (remotePeer) Local() netip.Addr  { return farOwn }

// TestPolicyAllocatesNothing, and a listed peer is not asked for its own end, which is
// a call of the system.
func TestPolicyAllocatesNothing(t *testing.T) {
	s := newSim()
	networks := []netip.Prefix{netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("10.1.0.0/16")}
	s.daemon.Policy = session.Policy{Lookup: networks, Names: networks, Allow: func(session.Peer, wire.Tag) bool { return true }}
	scratch := make([]byte, session.MaxReplyLen)
	for _, b := range [][]byte{body(wire.TagPortPlease2Req, "foo"), body(wire.TagNamesReq, ""), body(wire.TagDumpReq, "")} {
		packet := packetOf(t, b)
		var p session.Peer = remotePeer{}
		n := testing.AllocsPerRun(100, func() {
			c := s.daemon.Open(7, p, s.now)
			c.Feed(s.now, packet, scratch)
			c.End(registry.ReasonClosed)
		})
		require.Zero(t, n)
	}
	res := s.open(noLocal{t}).send(body(wire.TagNamesReq, "")...)
	require.NoError(t, res.Err)
}

// noLocal is a remote peer whose own end must not be asked for.
type noLocal struct{ t *testing.T }

func (noLocal) Remote() netip.Addr { return far }
func (p noLocal) Local() netip.Addr {
	require.Fail(p.t, "the local end was asked for")
	return netip.Addr{}
}
