package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestToldForLogs: which request it was, and which name it was about.
func TestToldForLogs(t *testing.T) {
	s := newSim()
	res := s.open(loopback).send(register("foo")...)
	require.Equal(t, wire.TagAlive2Req, res.Tag)
	require.Equal(t, "foo", string(res.Name))
	res = s.open(loopback).send(body(wire.TagPortPlease2Req, "bar")...)
	require.Equal(t, wire.TagPortPlease2Req, res.Tag)
	require.Equal(t, "bar", string(res.Name))
	require.Equal(t, wire.Tag('?'), s.open(loopback).send('?').Tag)
}

// TestOneRequest: after an answer, and after a fault, nothing more is taken, and the
// session is neither kept nor reading, whatever the engine does next.
func TestOneRequest(t *testing.T) {
	for name, b := range map[string][]byte{
		"lookup":  body(wire.TagPortPlease2Req, "foo"),
		"names":   body(wire.TagNamesReq, ""),
		"dump":    body(wire.TagDumpReq, ""),
		"garbage": body('?', ""),
	} {
		s := newSim()
		packet, err := wire.AppendPacket(nil, b)
		require.NoError(t, err)
		open := s.daemon.Open(1, loopback, s.now)
		require.Equal(t, session.Close, open.Feed(s.now, packet, nil).Verdict, name)
		require.True(t, open.Ended(), name)
		require.False(t, open.Kept(), name)
		again := open.Feed(s.now, packet, nil)
		require.ErrorIs(t, again.Err, session.ErrEnded, name)
		require.Empty(t, again.Reply, name)
	}
	s := newSim()
	c := s.open(loopback)
	c.send(register("foo")...)
	c.session.End(registry.ReasonClosed)
	require.False(t, c.session.Kept())
	require.True(t, c.session.Ended())
}

// TestSweepEach: each kind of request sees what has ended before it.
func TestSweepEach(t *testing.T) {
	for want, b := range map[string][]byte{
		"w\x01":            body(wire.TagPortPlease2Req, "foo"),
		"\x00\x00\x5f\x31": body(wire.TagNamesReq, ""),
		"OK":               body(wire.TagKillReq, ""),
		"\x00\x00\x5f\x31old/unused name <foo>, port = 1000, fd = 1 \n\x00": body(wire.TagDumpReq, ""),
	} {
		s := newSim()
		a := s.open(loopback)
		a.send(register("foo")...)
		s.daemon.Sweep = func([]byte) { a.session.End(registry.ReasonClosed) }
		require.Equal(t, want, string(s.open(loopback).send(b...).Reply))
	}
	s := newSim()
	a := s.open(loopback)
	a.send(register("foo")...)
	s.daemon.Sweep = func([]byte) { a.session.End(registry.ReasonClosed) }
	require.NoError(t, s.open(loopback).send(register("foo")...).Err)
}

// TestSweepIsToldWhat: the engine learns which name a request is about, so that it need not
// look at all connections.
func TestSweepIsToldWhat(t *testing.T) {
	list, err := wire.AppendTransports(nil, "tls")
	require.NoError(t, err)
	lookup3, err := wire.PortPlease3Req{Name: []byte("foo"), Transports: list}.Append(nil)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		request []byte
		want    string
	}{
		"ALIVE2_REQ":       {register("foo"), "foo"},
		"PORT_PLEASE2_REQ": {body(wire.TagPortPlease2Req, "foo"), "foo"},
		"STOP_REQ":         {body(wire.TagStopReq, "foo"), "foo"},
		"NAMES_REQ":        {body(wire.TagNamesReq, ""), ""},
		"DUMP_REQ":         {body(wire.TagDumpReq, ""), ""},
		"KILL_REQ":         {body(wire.TagKillReq, ""), ""},
		"ALIVE3_REQ":       {alive3("foo", "tls")[wire.HeaderLen:], "foo"},
		"PORT_PLEASE3_REQ": {lookup3[wire.HeaderLen:], "foo"},
		"STOP3_REQ":        {body(wire.TagStop3Req, "foo"), "foo"},
		"NAMES3_REQ":       {body(wire.TagNames3Req, ""), ""},
		"DUMP3_REQ":        {body(wire.TagDump3Req, ""), ""},
		"KILL3_REQ":        {body(wire.TagKill3Req, ""), ""},
	} {
		s := newSim(relaxed(true), multiTransport)
		var got []string
		s.daemon.Sweep = func(name []byte) { got = append(got, string(name)) }
		s.open(loopback).send(tt.request...)
		require.Equal(t, []string{tt.want}, got, name)
	}
}

// TestStopReason: the event tells that a name was stopped.
func TestStopReason(t *testing.T) {
	s := newSim(relaxed(true))
	s.open(loopback).send(register("foo")...)
	sub, _ := s.daemon.Registry.Subscribe(4)
	defer sub.Close()
	s.open(loopback).send(body(wire.TagStopReq, "foo")...)
	require.Equal(t, registry.ReasonStopped, (<-sub.C).Reason)
}

// TestOwnAddressMapped: an own address is the same in both of its forms, on either
// side.
func TestOwnAddressMapped(t *testing.T) {
	require.True(t, session.IsLocal(peer{"192.0.2.1", "::ffff:192.0.2.1"}))
	require.True(t, session.IsLocal(peer{"::ffff:192.0.2.1", "192.0.2.1"}))
	require.False(t, session.IsLocal(peer{"192.0.2.2", "::ffff:192.0.2.1"}))
	require.True(t, session.IsLocal(peer{"::1", "2001:db8::1"}), "loopback is local wherever it connects")
	require.True(t, session.IsLocal(peer{"127.0.0.1", "192.0.2.1"}))
}
