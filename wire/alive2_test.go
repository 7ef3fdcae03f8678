package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

var alive2Reqs = []struct {
	name   string
	packet string
	req    wire.Alive2Req
}{
	{
		"what OTP sends", "0014 78 99e9 4d 00 0006 0005 0007 61747269786965 0000",
		wire.Alive2Req{
			Port: 0x99e9, Type: wire.NodeTypeNormal, Protocol: wire.ProtocolTCP, Highest: 6, Lowest: 5,
			Name: []byte("atrixie"), Extra: []byte{}, Tail: []byte{},
		},
	},
	{
		"every field of its own", "0014 78 0102 03 04 0506 0708 0002 c3a9 0003 00ff0a 7461",
		wire.Alive2Req{
			Port: 0x0102, Type: 3, Protocol: 4, Highest: 0x0506, Lowest: 0x0708,
			Name: []byte("é"), Extra: []byte{0, 0xff, '\n'}, Tail: []byte("ta"),
		},
	},
	{
		"zeros", "000e 78 0000 00 00 0000 0000 0001 61 0000",
		wire.Alive2Req{Name: []byte("a"), Extra: []byte{}, Tail: []byte{}},
	},
	{
		"ones", "000f 78 ffff ff ff ffff ffff 0001 ff 0001 ff",
		wire.Alive2Req{
			Port: 0xffff, Type: 0xff, Protocol: 0xff, Highest: 0xffff, Lowest: 0xffff,
			Name: []byte{0xff}, Extra: []byte{0xff}, Tail: []byte{},
		},
	},
	{
		"empty name, extra", "000e 78 03e8 4d 00 0006 0005 0000 0001 65",
		wire.Alive2Req{
			Port: 1000, Type: 77, Highest: 6, Lowest: 5, Name: []byte{}, Extra: []byte("e"), Tail: []byte{},
		},
	},
	{
		"empty name, tail", "000e 78 03e8 4d 00 0006 0005 0000 0000 74",
		wire.Alive2Req{
			Port: 1000, Type: 77, Highest: 6, Lowest: 5, Name: []byte{}, Extra: []byte{}, Tail: []byte("t"),
		},
	},
	{
		"NUL in extra and tail", "0010 78 03e8 4d 00 0006 0005 0001 61 0001 00 00",
		wire.Alive2Req{
			Port: 1000, Type: 77, Highest: 6, Lowest: 5, Name: []byte("a"), Extra: []byte{0}, Tail: []byte{0},
		},
	},
}

func TestAlive2Req(t *testing.T) {
	for _, c := range alive2Reqs {
		t.Run(c.name, func(t *testing.T) {
			packet := unhex(c.packet)
			got, err := c.req.Append([]byte("before"))
			require.NoError(t, err)
			require.Equal(t, append([]byte("before"), packet...), got)

			req, err := wire.ParseAlive2Req(packet[2:])
			require.NoError(t, err)
			require.Equal(t, c.req, req)
		})
	}
}

func TestAlive2ReqTag(t *testing.T) {
	body := unhex(alive2Reqs[0].packet)[2:]
	for b := range 256 {
		if wire.Tag(b) == wire.TagAlive2Req {
			continue
		}
		body[0] = byte(b)
		req, err := wire.ParseAlive2Req(body)
		requireFault(t, err, wire.Error{Message: wire.MessageAlive2Req, Field: wire.FieldTag, Fault: wire.FaultTag})
		require.Zero(t, req)
	}
}

func TestAlive2ReqFaults(t *testing.T) {
	fault := func(field wire.Field, fault wire.Fault) wire.Error {
		return wire.Error{Message: wire.MessageAlive2Req, Field: field, Fault: fault}
	}
	for _, c := range []struct {
		name, body string
		want       wire.Error
	}{
		{"empty", "", fault(wire.FieldTag, wire.FaultTag)},
		{"13 bytes", "78 03e8 4d 00 0006 0005 0000 0000", fault(wire.FieldMessage, wire.FaultShort)},
		{"13 bytes, nlen too big", "78 03e8 4d 00 0006 0005 ffff ffff", fault(wire.FieldMessage, wire.FaultShort)},
		{"14 bytes, nlen one too big", "78 03e8 4d 00 0006 0005 0002 61 0000", fault(wire.FieldName, wire.FaultShort)},
		{"nlen highest", "78 03e8 4d 00 0006 0005 ffff 61 0000", fault(wire.FieldName, wire.FaultShort)},
		{"elen one too big", "78 03e8 4d 00 0006 0005 0001 61 0001", fault(wire.FieldExtra, wire.FaultShort)},
		{"nlen+elen one too big", "78 03e8 4d 00 0006 0005 0002 6161 0003 6565", fault(wire.FieldExtra, wire.FaultShort)},
		{"elen highest", "78 03e8 4d 00 0006 0005 0001 61 ffff 65", fault(wire.FieldExtra, wire.FaultShort)},
		{"empty name, elen one too big", "78 03e8 4d 00 0006 0005 0000 0002 65", fault(wire.FieldExtra, wire.FaultShort)},
		{"NUL first", "78 03e8 4d 00 0006 0005 0003 006161 0000", fault(wire.FieldName, wire.FaultNUL)},
		{"NUL within", "78 03e8 4d 00 0006 0005 0003 610061 0000", fault(wire.FieldName, wire.FaultNUL)},
		{"NUL last", "78 03e8 4d 00 0006 0005 0003 616100 0000", fault(wire.FieldName, wire.FaultNUL)},
		{"NUL only", "78 03e8 4d 00 0006 0005 0001 00 0000", fault(wire.FieldName, wire.FaultNUL)},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := wire.ParseAlive2Req(unhex(c.body))
			requireFault(t, err, c.want)
			require.Zero(t, req)
		})
	}
}

func TestAlive2ReqNULAtEachPosition(t *testing.T) {
	body := unhex(alive2Reqs[0].packet)[2:]
	for at := range len("atrixie") {
		b := bytes.Clone(body)
		b[11+at] = 0
		req, err := wire.ParseAlive2Req(b)
		requireFault(t, err, wire.Error{Message: wire.MessageAlive2Req, Field: wire.FieldName, Fault: wire.FaultNUL})
		require.Zero(t, req)
	}
}

func TestAlive2ReqCut(t *testing.T) {
	body := unhex("78 03e8 4d 00 0006 0005 0003 666f6f 0002 6578 7461696c")
	const nameEnd, extraEnd = 16, 18 // the name's end takes in the extra field's length
	for end := range len(body) {
		req, err := wire.ParseAlive2Req(body[:end])
		want := wire.Error{Message: wire.MessageAlive2Req}
		switch {
		case end == 0:
			want.Field, want.Fault = wire.FieldTag, wire.FaultTag
		case end <= 13:
			want.Field, want.Fault = wire.FieldMessage, wire.FaultShort
		case end < nameEnd:
			want.Field, want.Fault = wire.FieldName, wire.FaultShort
		case end < extraEnd:
			want.Field, want.Fault = wire.FieldExtra, wire.FaultShort
		default:
			require.NoError(t, err)
			require.Equal(t, wire.Alive2Req{
				Port: 1000, Type: 77, Highest: 6, Lowest: 5,
				Name: []byte("foo"), Extra: []byte("ex"), Tail: []byte("tail")[:end-extraEnd],
			}, req)
			continue
		}
		requireFault(t, err, want)
		require.Zero(t, req)
	}
}

func TestAlive2ReqAppendFaults(t *testing.T) {
	long := func(n int) []byte { return []byte(strings.Repeat("l", n)) }
	const room = wire.MaxBodyLen - 13
	for _, c := range []struct {
		name  string
		req   wire.Alive2Req
		field wire.Field
		fault wire.Fault // none: the packet is the longest one
	}{
		{"all empty", wire.Alive2Req{Port: 1}, wire.FieldName, wire.FaultEmpty},
		{"NUL first", wire.Alive2Req{Name: []byte("\x00ab")}, wire.FieldName, wire.FaultNUL},
		{"NUL last", wire.Alive2Req{Name: []byte("ab\x00")}, wire.FieldName, wire.FaultNUL},
		{"NUL before too long", wire.Alive2Req{Name: []byte{0}, Tail: long(room)}, wire.FieldName, wire.FaultNUL},
		{"longest name", wire.Alive2Req{Name: long(room)}, 0, 0},
		{"longest extra", wire.Alive2Req{Extra: long(room)}, 0, 0},
		{"longest tail", wire.Alive2Req{Tail: long(room)}, 0, 0},
		{"longest of all", wire.Alive2Req{Name: long(1), Extra: long(1), Tail: long(room - 2)}, 0, 0},
		{"name too long", wire.Alive2Req{Name: long(room + 1)}, wire.FieldMessage, wire.FaultTooLong},
		{"extra too long", wire.Alive2Req{Extra: long(room + 1)}, wire.FieldMessage, wire.FaultTooLong},
		{"extra beyond 16 bits", wire.Alive2Req{Extra: long(1<<16 + 1)}, wire.FieldMessage, wire.FaultTooLong},
		{"tail too long", wire.Alive2Req{Name: long(1), Tail: long(room)}, wire.FieldMessage, wire.FaultTooLong},
		{
			"sum too long", wire.Alive2Req{Name: long(1), Extra: long(1), Tail: long(room - 1)},
			wire.FieldMessage, wire.FaultTooLong,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.req.Append([]byte("before"))
			if c.fault != 0 {
				requireFault(t, err, wire.Error{Message: wire.MessageAlive2Req, Field: c.field, Fault: c.fault})
				require.Equal(t, "before", string(got))
				return
			}
			require.NoError(t, err)
			packet := got[len("before"):]
			require.Len(t, packet, wire.MaxPacketLen)
			require.Equal(t, []byte{wire.MaxBodyLen >> 8, wire.MaxBodyLen & 0xff, 120}, packet[:3])
			req, err := wire.ParseAlive2Req(packet[2:])
			require.NoError(t, err)
			assert.Equal(t, string(c.req.Name), string(req.Name))
			assert.Equal(t, string(c.req.Extra), string(req.Extra))
			assert.Equal(t, string(c.req.Tail), string(req.Tail))
		})
	}
}

// What a registry refuses is well formed here.
func TestAlive2ReqTakesWhatARegistryRefuses(t *testing.T) {
	for _, name := range []string{strings.Repeat("n", wire.MaxNameBytes+1), "\xff", "\xc0\x80", "\xed\xa0\x80"} {
		extra := strings.Repeat("e", wire.MaxExtraBytes+1)
		packet, err := wire.Alive2Req{Name: []byte(name), Extra: []byte(extra)}.Append(nil)
		require.NoError(t, err)
		req, err := wire.ParseAlive2Req(packet[2:])
		require.NoError(t, err)
		require.Equal(t, name, string(req.Name))
		require.Equal(t, extra, string(req.Extra))
	}
}

func TestAlive2ReqViewsAreClipped(t *testing.T) {
	body := unhex("78 03e8 4d 00 0006 0005 0003 666f6f 0002 6578 7461696c")
	before := bytes.Clone(body)
	req, err := wire.ParseAlive2Req(body)
	require.NoError(t, err)
	_ = append(req.Name, "overwritten"...)
	_ = append(req.Extra, "overwritten"...)
	require.Equal(t, before, body)
	assert.Equal(t, 3, cap(req.Name))
	assert.Equal(t, 2, cap(req.Extra))
}

func TestAlive2ReqBorrows(t *testing.T) {
	body := unhex("78 03e8 4d 00 0006 0005 0003 666f6f 0002 6578 7461696c")
	req, err := wire.ParseAlive2Req(body)
	require.NoError(t, err)
	node := req.Node()
	copy(body[11:], "BAR")
	require.Equal(t, "BAR", string(req.Name))
	require.Equal(t, wire.Node{Name: "foo", Port: 1000, Type: 77, Highest: 6, Lowest: 5, Extra: "ex"}, node)
}

func TestNodeAppendAlive2Req(t *testing.T) {
	node := wire.Node{
		Name: "é", Port: 0x0102, Type: 3, Protocol: 4, Highest: 0x0506, Lowest: 0x0708, Extra: "\x00\xff\n",
	}
	packet, err := node.AppendAlive2Req([]byte("before"))
	require.NoError(t, err)
	require.Equal(t, append([]byte("before"), unhex("0012 78 0102 03 04 0506 0708 0002 c3a9 0003 00ff0a")...), packet)
	req, err := wire.ParseAlive2Req(packet[len("before")+2:])
	require.NoError(t, err)
	require.Equal(t, node, req.Node())

	for _, c := range []struct {
		node  wire.Node
		field wire.Field
		fault wire.Fault
	}{
		{wire.Node{}, wire.FieldName, wire.FaultEmpty},
		{wire.Node{Name: "a\x00b"}, wire.FieldName, wire.FaultNUL},
		{wire.Node{Extra: strings.Repeat("e", wire.MaxBodyLen)}, wire.FieldMessage, wire.FaultTooLong},
	} {
		packet, err := c.node.AppendAlive2Req([]byte("before"))
		requireFault(t, err, wire.Error{Message: wire.MessageAlive2Req, Field: c.field, Fault: c.fault})
		require.Equal(t, "before", string(packet))
	}
}
