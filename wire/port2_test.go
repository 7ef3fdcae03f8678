package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

var portPlease2Reqs = []struct {
	name   string
	packet string
	req    wire.PortPlease2Req
}{
	{"name", "0004 7a 666f6f", wire.PortPlease2Req{Name: []byte("foo")}},
	{"terminated", "0005 7a 666f6f 00", wire.PortPlease2Req{Name: []byte("foo"), Terminated: true}},
	{"one byte", "0002 7a 61", wire.PortPlease2Req{Name: []byte("a")}},
	{"two bytes to a character", "0003 7a c3a9", wire.PortPlease2Req{Name: []byte("é")}},
	{"line break", "0004 7a 610a62", wire.PortPlease2Req{Name: []byte("a\nb")}},
}

func TestPortPlease2Req(t *testing.T) {
	for _, c := range portPlease2Reqs {
		t.Run(c.name, func(t *testing.T) {
			packet := unhex(c.packet)
			got, err := c.req.Append([]byte("before"))
			require.NoError(t, err)
			require.Equal(t, append([]byte("before"), packet...), got)

			req, err := wire.ParsePortPlease2Req(packet[2:])
			require.NoError(t, err)
			require.Equal(t, c.req, req)
		})
	}
}

func TestPortPlease2ReqTag(t *testing.T) {
	want := wire.Error{Message: wire.MessagePortPlease2Req, Field: wire.FieldTag, Fault: wire.FaultTag}
	_, err := wire.ParsePortPlease2Req(nil)
	requireFault(t, err, want)
	for b := range 256 {
		if wire.Tag(b) == wire.TagPortPlease2Req {
			continue
		}
		req, err := wire.ParsePortPlease2Req([]byte{byte(b), 'f', 'o', 'o'})
		requireFault(t, err, want)
		require.Zero(t, req)
	}
}

func TestPortPlease2ReqNameIsClipped(t *testing.T) {
	body := []byte("zfoo\x00")
	req, err := wire.ParsePortPlease2Req(body)
	require.NoError(t, err)
	_ = append(req.Name, "overwritten"...)
	require.Equal(t, "zfoo\x00", string(body))
	require.Equal(t, 3, cap(req.Name))
}

// The name ends where the packet does, so a cut one asks for another name.
func TestPortPlease2ReqCut(t *testing.T) {
	body := []byte("znöde\x00")
	for end, want := range []any{
		wire.FaultTag, wire.FaultEmpty, "n", wire.FaultUTF8, "nö", "nöd", "nöde",
	} {
		req, err := wire.ParsePortPlease2Req(body[:end])
		if name, ok := want.(string); ok {
			require.NoError(t, err)
			require.Equal(t, name, string(req.Name))
			require.False(t, req.Terminated)
			continue
		}
		field := wire.FieldName
		if end == 0 {
			field = wire.FieldTag
		}
		requireFault(t, err, wire.Error{
			Message: wire.MessagePortPlease2Req, Field: field, Fault: want.(wire.Fault),
		})
	}
}

func TestPortPlease2ReqNames(t *testing.T) {
	for _, c := range []struct {
		name, field string // field is what follows the tag
		fault       wire.Fault
	}{
		{"empty", "", wire.FaultEmpty},
		{"NUL only", "\x00", wire.FaultEmpty},
		{"two NULs only", "\x00\x00", wire.FaultNUL},
		{"two NULs behind", "foo\x00\x00", wire.FaultNUL},
		{"NUL first", "\x00foo", wire.FaultNUL},
		{"NUL within", "f\x00oo", wire.FaultNUL},
		{"NUL within and behind", "f\x00oo\x00", wire.FaultNUL},
		{"NUL before bad UTF-8", "\x00\xff", wire.FaultNUL},
		{"bad UTF-8 before too long", "\xff" + strings.Repeat("a", 300), wire.FaultUTF8},
		{"254 characters of 1 byte", strings.Repeat("a", 254), 0},
		{"254 characters of 1 byte, terminated", strings.Repeat("a", 254) + "\x00", 0},
		{"255 characters of 1 byte", strings.Repeat("a", 255), wire.FaultTooLong},
		{"255 characters of 1 byte, terminated", strings.Repeat("a", 255) + "\x00", wire.FaultTooLong},
		{"254 characters of 4 bytes", strings.Repeat("\U0001f600", 254), 0},
		{"255 characters of 4 bytes", strings.Repeat("\U0001f600", 255), wire.FaultTooLong},
		{"as long as a packet can be", strings.Repeat("a", wire.MaxBodyLen-1), wire.FaultTooLong},
	} {
		t.Run(c.name, func(t *testing.T) { testLookupName(t, c.field, c.fault) })
	}
}

// testLookupName parses what follows a tag, and appends it; fault is none for
// good names.
func testLookupName(t *testing.T, field string, fault wire.Fault) {
	t.Helper()
	name, terminated := strings.CutSuffix(field, "\x00")
	written := wire.PortPlease2Req{Name: []byte(name), Terminated: terminated}
	packet, appendErr := written.Append([]byte("before"))
	req, parseErr := wire.ParsePortPlease2Req([]byte("z" + field))
	if fault != 0 {
		want := wire.Error{Message: wire.MessagePortPlease2Req, Field: wire.FieldName, Fault: fault}
		requireFault(t, parseErr, want)
		require.Zero(t, req)
		requireFault(t, appendErr, want)
		require.Equal(t, "before", string(packet))
		return
	}
	require.NoError(t, parseErr)
	require.Equal(t, written, req)
	require.NoError(t, appendErr)
	n := 1 + len(field)
	require.Equal(t, "before"+string([]byte{byte(n >> 8), byte(n)})+"z"+field, string(packet))
}

var port2Resps = []struct {
	name  string
	reply string
	resp  wire.Port2Resp
}{
	{
		"what OTP's nodes are told as", "77 00 99e9 4d 00 0006 0005 0007 61747269786965 0000",
		wire.Port2Resp{
			Port: 0x99e9, Type: wire.NodeTypeNormal, Protocol: wire.ProtocolTCP, Highest: 6, Lowest: 5,
			Name: []byte("atrixie"), Extra: []byte{},
		},
	},
	{
		"every field of its own", "77 00 0102 03 04 0506 0708 0002 c3a9 0003 00ff0a",
		wire.Port2Resp{
			Port: 0x0102, Type: 3, Protocol: 4, Highest: 0x0506, Lowest: 0x0708,
			Name: []byte("é"), Extra: []byte{0, 0xff, '\n'},
		},
	},
	{"empty", "77 00 0000 00 00 0000 0000 0000 0000", wire.Port2Resp{Name: []byte{}, Extra: []byte{}}},
	{"not found", "77 01", wire.Port2Resp{Result: 1}},
	{"another result", "77 ff", wire.Port2Resp{Result: 255}},
}

func TestPort2Resp(t *testing.T) {
	for _, c := range port2Resps {
		t.Run(c.name, func(t *testing.T) {
			reply := unhex(c.reply)
			require.Equal(t, append([]byte("before"), reply...), c.resp.Append([]byte("before")))

			for _, behind := range []string{"", "\x00", "more bytes"} {
				resp, n, err := wire.ParsePort2Resp(append(unhex(c.reply), behind...))
				require.NoError(t, err)
				require.Equal(t, len(reply), n)
				require.Equal(t, c.resp, resp)
			}
			for end := range len(reply) {
				resp, n, err := wire.ParsePort2Resp(reply[:end])
				requireFault(t, err, wire.Error{
					Message: wire.MessagePort2Resp, Field: wire.FieldMessage, Fault: wire.FaultIncomplete,
				})
				require.Zero(t, n)
				require.Zero(t, resp)
			}
		})
	}
}

func TestPort2RespOnlyResultCounts(t *testing.T) {
	resp := wire.Port2Resp{Result: 1, Port: 1000, Name: []byte("foo"), Extra: []byte("ex")}
	require.Equal(t, []byte{119, 1}, resp.Append(nil))
}

func TestPort2RespLongest(t *testing.T) {
	long := wire.Port2Resp{Name: bytes.Repeat([]byte("n"), 0xffff), Extra: bytes.Repeat([]byte("e"), 0xffff)}
	reply := long.Append(nil)
	require.Len(t, reply, 14+2*0xffff)
	resp, n, err := wire.ParsePort2Resp(reply)
	require.NoError(t, err)
	require.Equal(t, len(reply), n)
	require.Equal(t, long, resp)
	_, _, err = wire.ParsePort2Resp(reply[:n-1])
	requireFault(t, err, wire.Error{
		Message: wire.MessagePort2Resp, Field: wire.FieldMessage, Fault: wire.FaultIncomplete,
	})
}

func TestPort2RespTag(t *testing.T) {
	for b := range 256 {
		if wire.Tag(b) == wire.TagPort2Resp {
			continue
		}
		for _, reply := range [][]byte{{byte(b)}, {byte(b), 1}} {
			resp, n, err := wire.ParsePort2Resp(reply)
			requireFault(t, err, wire.Error{Message: wire.MessagePort2Resp, Field: wire.FieldTag, Fault: wire.FaultTag})
			require.Zero(t, n)
			require.Zero(t, resp)
		}
	}
}

func TestPort2RespViewsAreClipped(t *testing.T) {
	reply := append(unhex("77 00 03e8 4d 00 0006 0005 0003 666f6f 0002 6578"), "behind"...)
	before := bytes.Clone(reply)
	resp, _, err := wire.ParsePort2Resp(reply)
	require.NoError(t, err)
	_ = append(resp.Name, "overwritten"...)
	_ = append(resp.Extra, "overwritten"...)
	require.Equal(t, before, reply)
	assert.Equal(t, 3, cap(resp.Name))
	assert.Equal(t, 2, cap(resp.Extra))
}

func TestPort2RespBorrows(t *testing.T) {
	reply := unhex("77 00 03e8 4d 00 0006 0005 0003 666f6f 0002 6578")
	resp, _, err := wire.ParsePort2Resp(reply)
	require.NoError(t, err)
	node := resp.Node()
	copy(reply[12:], "BAR")
	require.Equal(t, "BAR", string(resp.Name))
	require.Equal(t, wire.Node{Name: "foo", Port: 1000, Type: 77, Highest: 6, Lowest: 5, Extra: "ex"}, node)
}

func TestNodeAppendPort2Resp(t *testing.T) {
	for _, node := range []wire.Node{
		{},
		{Name: "atrixie", Port: 0x99e9, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5},
		{Name: "é", Port: 0x0102, Type: 3, Protocol: 4, Highest: 0x0506, Lowest: 0x0708, Extra: "\x00\xff\n"},
		{Name: strings.Repeat("n", wire.MaxNameBytes), Extra: strings.Repeat("e", wire.MaxExtraBytes)},
	} {
		reply := node.AppendPort2Resp([]byte("before"))
		require.Equal(t, "before", string(reply[:6]))
		resp, n, err := wire.ParsePort2Resp(reply[6:])
		require.NoError(t, err)
		require.Equal(t, len(reply)-6, n)
		require.Equal(t, node, resp.Node())
		require.Equal(t, reply[6:], resp.Append(nil))
	}
	node := wire.Node{Name: "foo", Port: 1000, Type: 77, Highest: 6, Lowest: 5, Extra: "ex"}
	require.Equal(t, unhex("77 00 03e8 4d 00 0006 0005 0003 666f6f 0002 6578"), node.AppendPort2Resp(nil))
}
