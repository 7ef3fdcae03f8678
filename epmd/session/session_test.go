package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestWant: a read may ask for a whole packet until the length is known, then
// for what is missing and not a byte more, as OTP's reads do.
func TestWant(t *testing.T) {
	s := newSim()
	c := s.open(loopback)
	require.Equal(t, 3059, c.session.Want())
	c.arrive([]byte{0})
	require.Equal(t, 3058, c.session.Want())
	packet, err := wire.AppendPacket(nil, register("foo"))
	require.NoError(t, err)
	c.arrive(packet[1:6])
	require.Equal(t, len(packet)-6, c.session.Want())
	c.arrive(packet[6:])
	require.True(t, c.session.Kept())
	require.Equal(t, 3060, c.session.Want())
}

// TestExcess: bytes behind a packet close the connection unanswered if they came
// in the read that made its length known, and count as data after a
// registration otherwise.
func TestExcess(t *testing.T) {
	packet, err := wire.AppendPacket(nil, register("foo"))
	require.NoError(t, err)
	for at, answered := range map[int]bool{0: false, 1: false, 2: true, 10: true} {
		s := newSim()
		c := s.open(loopback)
		if at > 0 {
			c.arrive(packet[:at])
		}
		c.arrive(append(packet[at:len(packet):len(packet)], 'x'))
		got, closed, _ := c.Recv(nil, 0)
		require.Equal(t, conformance.WasClosed, closed)
		require.Equal(t, answered, len(got) > 0, "cut at %d", at)
		if answered {
			require.ErrorIs(t, c.last().Err, session.ErrData)
		} else {
			require.ErrorIs(t, c.last().Err, wire.FaultExcess)
		}
		require.Zero(t, s.daemon.Registry.Len(), "cut at %d", at)
	}
}

// TestFeedTakesNoMoreThanWanted: an engine that read too much is told so.
func TestFeedTakesNoMoreThanWanted(t *testing.T) {
	s := newSim()
	c := s.open(loopback)
	packet, err := wire.AppendPacket(nil, register("foo"))
	require.NoError(t, err)
	res := c.session.Feed(s.now, packet[:2], nil)
	require.Equal(t, 2, res.Used)
	res = c.session.Feed(s.now, append(packet[2:len(packet):len(packet)], "more"...), nil)
	require.Equal(t, session.Keep, res.Verdict)
	require.Equal(t, len(packet)-2, res.Used)
}

func TestEmptyChunks(t *testing.T) {
	s := newSim()
	c := s.open(loopback)
	require.Equal(t, session.Result{}, c.session.Feed(s.now, nil, nil))
	require.False(t, c.session.Begun())
	c.arrive([]byte{0})
	require.True(t, c.session.Begun())
	require.Equal(t, session.Result{}, c.session.Feed(s.now, nil, nil))
	require.True(t, c.session.Begun())
	k := s.open(loopback)
	k.send(register("foo")...)
	require.Equal(t, session.Result{Verdict: session.Keep}, k.session.Feed(s.now, nil, nil))
	require.Equal(t, 1, s.daemon.Registry.Len())
}

// TestPeers: who may do what, by both ends of the connection.
func TestPeers(t *testing.T) {
	peers := []struct {
		name  string
		peer  peer
		local bool
	}{
		{"loopback", peer{"127.0.0.1", "127.0.0.1"}, true},
		{"another loopback", peer{"127.200.3.4", "127.0.0.1"}, true},
		{"loopback of IPv6", peer{"::1", "::1"}, true},
		{"loopback mapped", peer{"::ffff:127.0.0.1", "::ffff:127.0.0.1"}, true},
		{"own address", peer{"192.0.2.1", "192.0.2.1"}, true},
		{"own address mapped", peer{"::ffff:192.0.2.1", "192.0.2.1"}, true},
		{"own address of IPv6", peer{"2001:db8::1", "2001:db8::1"}, true},
		{"own address with a zone", peer{"fe80::1%eth0", "fe80::1%eth0"}, true},
		{"another address", peer{"192.0.2.2", "192.0.2.1"}, false},
		{"another address of IPv6", peer{"2001:db8::2", "2001:db8::1"}, false},
		{"not quite loopback", peer{"128.0.0.1", "127.0.0.1"}, false},
	}
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			for name, b := range map[string][]byte{
				"register": register("foo"),
				"dump":     body(wire.TagDumpReq, ""),
				"stop":     body(wire.TagStopReq, "nobody"),
				"kill":     body(wire.TagKillReq, ""),
			} {
				s := newSim(relaxed(true))
				res := s.open(p.peer).send(b...)
				if p.local {
					require.NoError(t, res.Err, name)
					require.NotEmpty(t, res.Reply, name)
				} else {
					require.Equal(t, session.Close, res.Verdict, name)
					require.ErrorIs(t, res.Err, session.ErrNotLocal, name)
					require.Empty(t, res.Reply, name)
					require.False(t, s.ended, name)
				}
				require.Equal(t, wire.Tag(b[0]), res.Tag, name)
			}
			for name, b := range map[string][]byte{
				"lookup": body(wire.TagPortPlease2Req, "foo"),
				"names":  body(wire.TagNamesReq, ""),
			} {
				res := newSim().open(p.peer).send(b...)
				require.NoError(t, res.Err, name)
				require.NotEmpty(t, res.Reply, name)
			}
		})
	}
	require.False(t, session.IsLocal(invalidPeer{}), "an end without an address is not local")
}

// TestKill: without the relaxed check a daemon with nodes goes on.
func TestKill(t *testing.T) {
	for _, on := range []bool{false, true} {
		s := newSim(relaxed(on))
		s.open(loopback).send(register("foo")...)
		res := s.open(loopback).send(byte(wire.TagKillReq), 'x', 'y')
		if on {
			require.Equal(t, "OK", string(res.Reply))
			require.Equal(t, session.StopDaemon, res.Verdict)
		} else {
			require.Equal(t, "NO", string(res.Reply))
			require.Equal(t, session.Close, res.Verdict)
			require.Equal(t, 1, s.daemon.Registry.Len())
		}
	}
	res := newSim().open(loopback).send(byte(wire.TagKillReq))
	require.Equal(t, session.StopDaemon, res.Verdict, "nobody is registered")
}

func TestStop(t *testing.T) {
	s := newSim(relaxed(true))
	a, b := s.open(loopback), s.open(loopback)
	a.send(register("a")...)
	b.send(register("b")...)
	res := s.open(loopback).send(body(wire.TagStopReq, "a\x00and more")...)
	require.Equal(t, "STOPPED", string(res.Reply))
	require.Equal(t, session.Close, res.Verdict)
	require.Equal(t, []registry.Owner{a.session.Owner()}, res.Evict)
	require.Equal(t, "a", string(res.Name))
	require.True(t, a.closed)
	require.False(t, b.closed)
	res = s.open(loopback).send(body(wire.TagStopReq, "a")...)
	require.Equal(t, "NOEXISTSTOPPED", string(res.Reply))
	require.Empty(t, res.Evict)
	res = s.open(loopback).send(byte(wire.TagStopReq))
	require.ErrorIs(t, res.Err, wire.FaultEmpty)
	require.Empty(t, res.Reply)
	s.daemon.RelaxedCommandCheck = false
	res = s.open(loopback).send(body(wire.TagStopReq, "b")...)
	require.ErrorIs(t, res.Err, session.ErrNotRelaxed)
	require.Empty(t, res.Reply)
	require.Equal(t, 1, s.daemon.Registry.Len())
}

// TestStoppedNameIsNotReleasedTwice: a connection whose name was stopped, and
// which another has registered since, takes nothing along when it ends.
func TestStoppedNameIsNotReleasedTwice(t *testing.T) {
	s := newSim(relaxed(true))
	a, b := s.open(loopback), s.open(loopback)
	a.send(register("foo")...)
	require.NotEmpty(t, s.daemon.Registry.Unregister([]byte("foo"), registry.ReasonStopped))
	b.send(register("foo")...)
	a.end(registry.ReasonClosed)
	holder, held := s.daemon.Registry.Holder([]byte("foo"))
	require.True(t, held)
	require.Equal(t, b.session.Owner(), holder)
}

// TestEnds: whatever ends a registered connection unregisters its name, for the
// right reason, once.
func TestEnds(t *testing.T) {
	tests := map[string]struct {
		do   func(*simConn)
		want registry.Reason
	}{
		"closed":     {func(c *simConn) { c.session.End(registry.ReasonClosed) }, registry.ReasonClosed},
		"data":       {func(c *simConn) { c.arrive([]byte{0}) }, registry.ReasonData},
		"unanswered": {func(c *simConn) { c.session.End(registry.ReasonUnanswered) }, registry.ReasonUnanswered},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSim()
			c := s.open(loopback)
			c.send(register("foo")...)
			require.True(t, c.session.Holds())
			sub, _ := s.daemon.Registry.Subscribe(8)
			defer sub.Close()
			tt.do(c)
			c.session.End(registry.ReasonShutdown) // again, without effect
			require.False(t, c.session.Holds())
			require.True(t, c.session.Ended())
			require.Zero(t, s.daemon.Registry.Len())
			e := <-sub.C
			require.Equal(t, registry.Unregistered, e.Kind)
			require.Equal(t, tt.want, e.Reason)
			require.Empty(t, sub.C)
			res := c.session.Feed(s.now, []byte("x"), nil)
			require.Equal(t, session.Close, res.Verdict)
			require.ErrorIs(t, res.Err, session.ErrEnded)
		})
	}
}

// TestRefusedIsKept: a refused connection stays open without a deadline, and
// takes nothing along when it ends.
func TestRefusedIsKept(t *testing.T) {
	s := newSim(func(d *session.Daemon) { d.PacketTimeout = time.Minute })
	s.open(loopback).send(register("foo")...)
	c := s.open(loopback)
	res := c.send(register("foo")...)
	require.Equal(t, session.Keep, res.Verdict)
	require.Equal(t, registry.RefusedTaken, res.Err)
	require.Equal(t, []byte{118, 1, 0, 0, 0, 99}, res.Reply)
	require.True(t, c.session.Kept())
	require.False(t, c.session.Holds())
	require.True(t, c.session.Deadline().IsZero())
	c.arrive([]byte("x"))
	require.True(t, c.closed)
	require.Equal(t, 1, s.daemon.Registry.Len())
}

// TestDeadline: time runs from the beginning, or, as up to OTP 27, from the last
// byte; and it ends with the request.
func TestDeadline(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		s := newSim(func(d *session.Daemon) {
			d.PacketTimeout, d.TimeoutRestarts = time.Minute, restarts
		})
		c := s.open(loopback)
		want := epoch.Add(time.Minute)
		require.Equal(t, want, c.session.Deadline())
		s.now = s.now.Add(10 * time.Second)
		c.arrive([]byte{0})
		if restarts {
			want = s.now.Add(time.Minute)
		}
		require.Equal(t, want, c.session.Deadline())
		s.now = s.now.Add(10 * time.Second)
		require.Equal(t, session.Result{}, c.session.Feed(s.now, nil, nil))
		require.Equal(t, want, c.session.Deadline(), "nothing came")
		packet, err := wire.AppendPacket(nil, register("foo"))
		require.NoError(t, err)
		c.arrive(packet[1:])
		require.True(t, c.session.Kept())
		require.True(t, c.session.Deadline().IsZero())
	}
	c := newSim().open(loopback)
	require.True(t, c.session.Deadline().IsZero(), "no timeout is set")
	c = newSim(func(d *session.Daemon) { d.PacketTimeout = 1 }).open(loopback)
	require.Equal(t, epoch.Add(1), c.session.Deadline())
}

// TestSweep: a node that comes back before the engine has seen the end of its
// former connection is not refused, and a dead one is neither found nor listed,
// nor does it keep the daemon from ending.
func TestSweep(t *testing.T) {
	s := newSim()
	a := s.open(loopback)
	first := a.send(register("foo")...)
	s.daemon.Sweep = func([]byte) { a.session.End(registry.ReasonClosed) }
	for tag, want := range map[wire.Tag]string{
		wire.TagPortPlease2Req: "w\x01",
		wire.TagNamesReq:       "\x00\x00\x5f\x31",
		wire.TagDumpReq:        "\x00\x00\x5f\x31old/unused name <foo>, port = 1000, fd = 1 \n\x00",
		wire.TagKillReq:        "OK",
	} {
		rest := ""
		if tag == wire.TagPortPlease2Req {
			rest = "foo"
		}
		require.Equal(t, want, string(s.open(loopback).send(body(tag, rest)...).Reply), "%v", tag)
	}
	res := s.open(loopback).send(register("foo")...)
	require.NoError(t, res.Err)
	before, _, err := wire.ParseAlive2Resp(first.Reply)
	require.NoError(t, err)
	after, _, err := wire.ParseAlive2Resp(res.Reply)
	require.NoError(t, err)
	require.Equal(t, before.Creation+1, after.Creation)
}

// TestLists: the lists are those of the registry, shared and not copied.
func TestLists(t *testing.T) {
	s := newSim()
	s.open(loopback).send(register("foo")...)
	for tag, want := range map[wire.Tag]string{
		wire.TagNamesReq: "\x00\x00\x5f\x31name foo at port 1000\n",
		wire.TagDumpReq:  "\x00\x00\x5f\x31active name     <foo> at port 1000, fd = 1\n\x00",
	} {
		first := s.open(loopback).send(byte(tag), 'x')
		second := s.open(loopback).send(byte(tag))
		require.Equal(t, want, string(first.Reply))
		require.True(t, first.Shared)
		require.Same(t, &first.Reply[0], &second.Reply[0])
		require.Equal(t, session.Close, first.Verdict)
	}
}

// TestLongestReply fits the scratch buffer.
func TestLongestReply(t *testing.T) {
	s := newSim()
	packet, err := wire.Node{
		Name: strings.Repeat("\U00010348", 254), Highest: 6, Extra: strings.Repeat("x", wire.MaxExtraBytes),
	}.AppendAlive2Req(nil)
	require.NoError(t, err)
	c := s.open(loopback)
	c.arrive(packet)
	require.NoError(t, c.last().Err)
	lookup, err := wire.AppendPacket(nil, body(wire.TagPortPlease2Req, strings.Repeat("\U00010348", 254)))
	require.NoError(t, err)
	asker := s.daemon.Open(99, loopback, s.now)
	scratch := make([]byte, session.MaxReplyLen)
	res := asker.Feed(s.now, lookup, scratch)
	require.Len(t, res.Reply, 14+254*4+wire.MaxExtraBytes)
	require.Same(t, &scratch[0], &res.Reply[0])
	require.False(t, res.Shared)
}

// TestFaults: what is no request is closed unanswered, and the result says why.
func TestFaults(t *testing.T) {
	tests := map[string]struct {
		bytes string
		fault wire.Fault
	}{
		"length 0":            {"\x00\x00", wire.FaultSize},
		"length 3058":         {"\x0b\xf2", wire.FaultSize},
		"unknown tag":         {"\x00\x01?", wire.FaultTag},
		"a reply's tag":       {"\x00\x01w", wire.FaultTag},
		"short ALIVE2_REQ":    {"\x00\x01x", wire.FaultShort},
		"no name":             {"\x00\x01z", wire.FaultEmpty},
		"NUL in the name":     {"\x00\x04za\x00b", wire.FaultNUL},
		"name is not UTF-8":   {"\x00\x02z\xff", wire.FaultUTF8},
		"more than one piece": {"\x00\x01nn", wire.FaultExcess},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newSim().open(loopback)
			c.arrive([]byte(tt.bytes))
			require.ErrorIs(t, c.last().Err, tt.fault)
			require.Equal(t, session.Close, c.last().Verdict)
			require.Empty(t, c.last().Reply)
			require.True(t, c.session.Ended())
		})
	}
}

func TestVerdictString(t *testing.T) {
	for v, want := range map[session.Verdict]string{
		session.More: "more", session.Keep: "keep", session.Close: "close", session.StopDaemon: "stop daemon", 9: "verdict 9",
	} {
		require.Equal(t, want, v.String())
	}
}

// TestNoAllocations: the requests that come in thousands allocate nothing.
func TestNoAllocations(t *testing.T) {
	s := newSim()
	s.open(loopback).send(register("foo")...)
	scratch := make([]byte, session.MaxReplyLen)
	for name, b := range map[string][]byte{
		"found":     body(wire.TagPortPlease2Req, "foo"),
		"not found": body(wire.TagPortPlease2Req, "bar"),
		"names":     body(wire.TagNamesReq, ""),
		"garbage":   body('?', ""),
	} {
		packet, err := wire.AppendPacket(nil, b)
		require.NoError(t, err)
		var p session.Peer = loopback
		n := testing.AllocsPerRun(100, func() {
			c := s.daemon.Open(7, p, s.now)
			c.Feed(s.now, packet, scratch)
			c.End(registry.ReasonClosed)
		})
		require.Zero(t, n, name)
	}
}
