package wire_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

func TestStop3Req(t *testing.T) {
	for packet, want := range map[string]wire.Stop3Req{
		"0004 53 666f6f":         {Name: []byte("foo")},
		"0001 53":                {Name: []byte{}},
		"0002 53 00":             {Name: []byte{}, Tail: []byte{0}},
		"0007 53 666f6f 0061 62": {Name: []byte("foo"), Tail: []byte("\x00ab")},
	} {
		raw := unhex(packet)
		got, err := want.Append([]byte("before"))
		require.NoError(t, err)
		require.Equal(t, "before"+string(raw), string(got))
		req, err := wire.ParseStop3Req(raw[2:])
		require.NoError(t, err)
		require.Equal(t, want, req)
	}
	for _, body := range []string{"", "s", "foo"} {
		_, err := wire.ParseStop3Req([]byte(body))
		requireFault(t, err, wire.Error{Message: wire.MessageStop3Req, Field: wire.FieldTag, Fault: wire.FaultTag})
	}
	for _, req := range []wire.Stop3Req{{Name: []byte("a\x00")}, {Tail: []byte("a")}} {
		got, err := req.Append([]byte("before"))
		requireFault(t, err, wire.Error{Message: wire.MessageStop3Req, Field: wire.FieldName, Fault: wire.FaultNUL})
		require.Equal(t, "before", string(got))
	}
	_, err := wire.Stop3Req{Name: bytes.Repeat([]byte("a"), wire.MaxBodyLen)}.Append(nil)
	requireFault(t, err, wire.Error{Message: wire.MessagePacket, Field: wire.FieldMessage, Fault: wire.FaultTooLong})
}

func TestKill3Req(t *testing.T) {
	tagOnly{
		message: wire.MessageKill3Req, tag: 75,
		parse: func(body []byte) ([]byte, error) {
			req, err := wire.ParseKill3Req(body)
			return req.Tail, err
		},
		append: func(b, tail []byte) ([]byte, error) { return wire.Kill3Req{Tail: tail}.Append(b) },
	}.test(t)
}

// TestTextResps: the answers that are a length and text.
func TestTextResps(t *testing.T) {
	for _, c := range []struct {
		message wire.Message
		yes, no string
		append  func([]byte, bool) []byte
		parse   func([]byte) (bool, int, error)
	}{
		{wire.MessageKill3Resp, "\x00\x02OK", "\x00\x02NO", wire.AppendKill3Resp, wire.ParseKill3Resp},
		{wire.MessageStop3Resp, "\x00\x07STOPPED", "\x00\x07NOEXIST", wire.AppendStop3Resp, wire.ParseStop3Resp},
	} {
		for _, want := range []bool{true, false} {
			reply := c.no
			if want {
				reply = c.yes
			}
			require.Equal(t, "before"+reply, string(c.append([]byte("before"), want)))
			got, n, err := c.parse([]byte(reply + "behind"))
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Equal(t, len(reply), n)
			for end := range reply {
				_, _, err := c.parse([]byte(reply[:end]))
				requireFault(t, err, wire.Error{Message: c.message, Field: wire.FieldText, Fault: wire.FaultIncomplete})
			}
		}
		for _, bad := range []string{"OK", "\x00\x03", c.yes[:3] + "x", "\x01"} {
			_, _, err := c.parse([]byte(bad))
			requireFault(t, err, wire.Error{Message: c.message, Field: wire.FieldText, Fault: wire.FaultSyntax})
		}
	}
}
