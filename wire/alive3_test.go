package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

const alive3Packet = "001a 58 03e8 4d 08 696e65745f746370 0006 0005 0003 666f6f 0002 6578"

var alive3Req = wire.Alive3Req{
	Port: 1000, Type: 77, Transport: []byte("inet_tcp"), Highest: 6, Lowest: 5, Name: []byte("foo"), Extra: []byte("ex"), Tail: []byte{},
}

func TestAlive3Req(t *testing.T) {
	none := []byte{}
	for _, c := range []struct {
		name   string
		packet string
		req    wire.Alive3Req
	}{
		{"all fields", alive3Packet, alive3Req},
		{"no transport", "000f 58 0000 48 00 0005 0004 0002 6162 0000", wire.Alive3Req{
			Type: 72, Transport: none, Highest: 5, Lowest: 4, Name: []byte("ab"), Extra: none, Tail: none,
		}},
		{"no name", "000e 58 0001 00 01 74 0000 0000 0000 0000", wire.Alive3Req{
			Port: 1, Transport: []byte("t"), Name: none, Extra: none, Tail: none,
		}},
		{"tail alone", "000e 58 0001 00 00 0000 0000 0000 0000 ff", wire.Alive3Req{
			Port: 1, Transport: none, Name: none, Extra: none, Tail: []byte{0xff},
		}},
		{"longest transport", "008d 58 0001 00 7f" + strings.Repeat("74", 127) + "0000 0000 0001 61 0000", wire.Alive3Req{
			Port: 1, Transport: bytes.Repeat([]byte("t"), 127), Name: []byte("a"), Extra: none, Tail: none,
		}},
		{"not UTF-8, NUL in extra", "0010 58 0001 00 00 0000 0000 0001 ff 0002 0001", wire.Alive3Req{
			Port: 1, Transport: none, Name: []byte{0xff}, Extra: []byte{0, 1}, Tail: none,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			packet := unhex(c.packet)
			got, err := c.req.Append([]byte("before"))
			require.NoError(t, err)
			require.Equal(t, append([]byte("before"), packet...), got)
			req, err := wire.ParseAlive3Req(packet[2:])
			require.NoError(t, err)
			require.Equal(t, c.req, req)
			if len(c.req.Tail) == 0 {
				got, err = req.Node().AppendAlive3Req([]byte("before"))
				require.NoError(t, err)
				require.Equal(t, append([]byte("before"), packet...), got)
			}
		})
	}
}

func TestAlive3ReqNode(t *testing.T) {
	require.Equal(t, wire.Node{
		Name: "foo", Port: 1000, Type: 77, Highest: 6, Lowest: 5, Extra: "ex", Transport: "inet_tcp",
	}, alive3Req.Node())
}

// TestAlive3ReqCut: no beginning of a request is one.
func TestAlive3ReqCut(t *testing.T) {
	body := unhex(alive3Packet)[2:]
	for end := range body {
		_, err := wire.ParseAlive3Req(body[:end:end])
		want := wire.Error{Message: wire.MessageAlive3Req, Field: wire.FieldMessage, Fault: wire.FaultShort}
		switch {
		case end == 0:
			want.Field, want.Fault = wire.FieldTag, wire.FaultTag
		case end >= 13+8+3:
			want.Field = wire.FieldExtra
		case end >= 13+8:
			want.Field = wire.FieldName
		case end > 13:
			want.Field = wire.FieldTransport
		}
		requireFault(t, err, want)
	}
}

func TestAlive3ReqFaults(t *testing.T) {
	fault := func(f wire.Field, of wire.Fault) wire.Error {
		return wire.Error{Message: wire.MessageAlive3Req, Field: f, Fault: of}
	}
	for body, want := range map[string]wire.Error{
		"78 0001 00 00 0000 0000 0001 61 0000":                                 fault(wire.FieldTag, wire.FaultTag),
		"58 0001 00 00 0000 0000 0000 0000":                                    fault(wire.FieldMessage, wire.FaultShort),
		"58 0001 00 80" + strings.Repeat("74", 128) + "0000 0000 0001 61 0000": fault(wire.FieldTransport, wire.FaultTooLong),
		"58 0001 00 ff" + strings.Repeat("74", 255) + "0000 0000 0001 61 0000": fault(wire.FieldTransport, wire.FaultTooLong),
		"58 0001 00 ff 0000 0000 0001 61 0000":                                 fault(wire.FieldTransport, wire.FaultTooLong),
		"58 0001 00 02 0000 0000 0001 61 0000":                                 fault(wire.FieldTransport, wire.FaultShort),
		"58 0001 00 01 74 0000 0000 0002 61 0000":                              fault(wire.FieldName, wire.FaultShort),
		"58 0001 00 00 0000 0000 0001 61 0001":                                 fault(wire.FieldExtra, wire.FaultShort),
		"58 0001 00 00 0000 0000 0002 6100 0000":                               fault(wire.FieldName, wire.FaultNUL),
		"58 0001 00 02 7400 0000 0000 0001 61 0000":                            fault(wire.FieldTransport, wire.FaultNUL),
	} {
		req, err := wire.ParseAlive3Req(unhex(body))
		requireFault(t, err, want)
		require.Zero(t, req)
	}
	long := make([]byte, wire.MaxBodyLen)
	for name, c := range map[string]struct {
		req  wire.Alive3Req
		want wire.Error
	}{
		"empty":              {wire.Alive3Req{}, fault(wire.FieldName, wire.FaultEmpty)},
		"NUL":                {wire.Alive3Req{Name: []byte("a\x00")}, fault(wire.FieldName, wire.FaultNUL)},
		"NUL in transport":   {wire.Alive3Req{Name: []byte("a"), Transport: []byte{0}}, fault(wire.FieldTransport, wire.FaultNUL)},
		"long transport":     {wire.Alive3Req{Transport: bytes.Repeat([]byte("t"), 128)}, fault(wire.FieldTransport, wire.FaultTooLong)},
		"long tail":          {wire.Alive3Req{Tail: long}, fault(wire.FieldMessage, wire.FaultTooLong)},
		"longer than it may": {wire.Alive3Req{Name: []byte("a"), Extra: long[:wire.MaxBodyLen-13]}, fault(wire.FieldMessage, wire.FaultTooLong)},
	} {
		got, err := c.req.Append([]byte("before"))
		requireFault(t, err, c.want)
		require.Equal(t, "before", string(got), name)
	}
	got, err := wire.Alive3Req{Name: []byte("a"), Extra: long[:wire.MaxBodyLen-14]}.Append(nil)
	require.NoError(t, err)
	require.Len(t, got, wire.MaxPacketLen)
}

func TestAlive3Resp(t *testing.T) {
	for text, want := range map[string]wire.Alive3Resp{
		"0004 79 00 0003":     {Creation: 3},
		"0004 79 01 0063":     {Result: 1, Creation: 99},
		"0006 76 00 654bd1f0": {Extended: true, Creation: 0x654bd1f0},
		"0006 76 01 00000063": {Extended: true, Result: 1, Creation: 99},
	} {
		reply := unhex(text)
		require.Equal(t, "before"+string(reply), string(want.Append([]byte("before"))))
		for _, behind := range []string{"", "\x00", "more"} {
			got, n, err := wire.ParseAlive3Resp(append(bytes.Clone(reply), behind...))
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Equal(t, len(reply), n)
		}
		for end := range reply {
			_, n, err := wire.ParseAlive3Resp(reply[:end])
			requireFault(t, err, wire.Error{Message: wire.MessageAlive3Resp, Field: wire.FieldMessage, Fault: wire.FaultIncomplete})
			require.Zero(t, n)
		}
	}
	for text, want := range map[string]wire.Error{
		"0004 77":         {Message: wire.MessageAlive3Resp, Field: wire.FieldTag, Fault: wire.FaultTag},
		"7900 00":         {Message: wire.MessageAlive3Resp, Field: wire.FieldTag, Fault: wire.FaultTag},
		"0006 79 00 0003": {Message: wire.MessageAlive3Resp, Field: wire.FieldLength, Fault: wire.FaultSyntax},
		"0004 76":         {Message: wire.MessageAlive3Resp, Field: wire.FieldLength, Fault: wire.FaultSyntax},
	} {
		_, _, err := wire.ParseAlive3Resp(unhex(text))
		requireFault(t, err, want)
	}
}
