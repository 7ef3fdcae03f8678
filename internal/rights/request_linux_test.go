package rights

import (
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/testbed"
	"github.com/goepmd/goepmd/wire"
)

// What the table says that comes of a request.
const (
	answered = "answered"
	closed   = "closed"
	toldNo   = "told NO"
)

// steady is the node that is registered all the time.
const steady = "steady"

// row is a request that peers make. Two may share a line of the table.
type row struct {
	name    string // of the line
	tag     wire.Tag
	relaxed bool // it is of a daemon with the relaxed check alone
	strict  bool // it is of one without
	packet  func(name string) []byte
	// good says whether an answer, without the length in front of some, is what was
	// asked for.
	good func(answer string) bool
}

// The lines of the table.
const (
	lineLookup     = "look up: PORT_PLEASE2_REQ, PORT_PLEASE3_REQ"
	lineNames      = "names: NAMES_REQ, NAMES3_REQ"
	lineRegister   = "register: ALIVE2_REQ, ALIVE3_REQ"
	lineDump       = "dump: DUMP_REQ, DUMP3_REQ"
	lineKill       = "kill: KILL_REQ, KILL3_REQ"
	lineKillStrict = "kill, nodes registered, check not relaxed"
	lineStop       = "stop: STOP_REQ, STOP3_REQ"
	lineStopStrict = "stop, check not relaxed"
)

var rows = []row{
	{name: lineLookup, tag: wire.TagPortPlease2Req, packet: always(rig.Port(steady)), good: isFound},
	{name: lineNames, tag: wire.TagNamesReq, packet: always(rig.Names()), good: has("name " + steady + " at port ")},
	{name: lineRegister, tag: wire.TagAlive2Req, packet: newcomer(rig.Alive), good: isRegistered},
	{name: lineDump, tag: wire.TagDumpReq, packet: always(rig.Dump()), good: has("<" + steady + "> at port ")},
	{name: lineKillStrict, tag: wire.TagKillReq, strict: true, packet: always(rig.Kill()), good: never},
	{name: lineStop, tag: wire.TagStopReq, relaxed: true, packet: rig.Stop, good: is("STOPPED")},
	{name: lineStopStrict, tag: wire.TagStopReq, strict: true, packet: rig.Stop, good: never},
	{name: lineKill, tag: wire.TagKillReq, relaxed: true, packet: always(rig.Kill()), good: is("OK")},

	{name: lineLookup, tag: wire.TagPortPlease3Req, packet: always(must(wire.PortPlease3Req{Name: []byte(steady)}.Append(nil))), good: isFound},
	{name: lineNames, tag: wire.TagNames3Req, packet: always(must(wire.Names3Req{}.Append(nil))), good: has("name " + steady + " at port ")},
	{name: lineRegister, tag: wire.TagAlive3Req, packet: newcomer(alive3), good: isRegistered},
	{name: lineDump, tag: wire.TagDump3Req, packet: always(must(wire.Dump3Req{}.Append(nil))), good: has("<" + steady + "> at port ")},
	{name: lineKillStrict, tag: wire.TagKill3Req, strict: true, packet: always(must(wire.Kill3Req{}.Append(nil))), good: never},
	{name: lineStop, tag: wire.TagStop3Req, relaxed: true, packet: stop3, good: is("STOPPED")},
	{name: lineStopStrict, tag: wire.TagStop3Req, strict: true, packet: stop3, good: never},
	{name: lineKill, tag: wire.TagKill3Req, relaxed: true, packet: always(must(wire.Kill3Req{}.Append(nil))), good: is("OK")},
}

// multi says that the request is of wire.MultiTransport alone, whose answers have a
// length in front.
func (r row) multi() bool { return !wire.Standard.Knows(r.tag) }

func always(packet []byte) func(string) []byte { return func(string) []byte { return packet } }

func newcomer(packet func(string, uint16) []byte) func(string) []byte {
	return func(string) []byte { return packet("newcomer", 1) }
}

func alive3(name string, port uint16) []byte {
	return must(wire.Node{Name: name, Port: port, Highest: 6, Lowest: 5, Transport: "inet_tls"}.AppendAlive3Req(nil))
}

func stop3(name string) []byte { return must(wire.Stop3Req{Name: []byte(name)}.Append(nil)) }

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err) // a test's own mistake
	}
	return b
}

func isFound(a string) bool      { return strings.HasPrefix(a, "w\x00") && strings.Contains(a, steady) }
func isRegistered(a string) bool { return strings.HasPrefix(a, "v\x00") && len(a) == 6 }
func never(string) bool          { return false }

func has(text string) func(string) bool {
	return func(a string) bool { return strings.Contains(a, text) }
}
func is(text string) func(string) bool { return func(a string) bool { return a == text } }

// dial connects as a peer does.
func (p peer) dial(t *testing.T, port uint16) *testbed.Conn {
	t.Helper()
	from := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(p.from, 0))}
	c, err := testbed.Dial(t.Context(), from, netip.AddrPortFrom(p.to, port))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// request makes the request of a row, and says what comes of it in the words of the
// table. Where a node is registered by it, it is gone again.
func (r row) request(t *testing.T, c *testbed.Conn, name string) string {
	t.Helper()
	require.NoError(t, c.Send(r.packet(name)))
	head, most := 0, math.MaxInt
	if r.multi() {
		head = wire.HeaderLen
	}
	if session.RightOf(r.tag) == session.RightRegister {
		most = head + 6 // the connection stays open
	}
	answer, err := c.RecvLen(most, patience)
	if len(answer) != most {
		require.ErrorIs(t, err, io.EOF)
	}
	require.NoError(t, c.Close())
	if len(answer) == 0 {
		return closed
	}
	require.GreaterOrEqual(t, len(answer), head)
	switch text := string(answer[head:]); {
	case text == "NO":
		return toldNo
	case r.good(text):
		return answered
	default:
		return fmt.Sprintf("%q", text)
	}
}
