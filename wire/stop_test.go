package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

func TestStopReq(t *testing.T) {
	for _, c := range []struct {
		name   string
		packet string
		req    wire.StopReq
	}{
		{"name", "0004 73 666f6f", wire.StopReq{Name: []byte("foo")}},
		{"one byte", "0002 73 61", wire.StopReq{Name: []byte("a")}},
		{"terminated", "0005 73 666f6f 00", wire.StopReq{Name: []byte("foo"), Tail: []byte{0}}},
		{"two NULs", "0006 73 666f6f 0000", wire.StopReq{Name: []byte("foo"), Tail: []byte{0, 0}}},
		{"tail", "0007 73 666f6f 006261", wire.StopReq{Name: []byte("foo"), Tail: []byte("\x00ba")}},
		{"empty name", "0002 73 00", wire.StopReq{Name: []byte{}, Tail: []byte{0}}},
		{"empty name, tail", "0004 73 006261", wire.StopReq{Name: []byte{}, Tail: []byte("\x00ba")}},
		{"not UTF-8", "0002 73 ff", wire.StopReq{Name: []byte{0xff}}},
		{
			"longest", "0bf1 73" + strings.Repeat("61", wire.MaxBodyLen-1),
			wire.StopReq{Name: bytes.Repeat([]byte("a"), wire.MaxBodyLen-1)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			packet := unhex(c.packet)
			got, err := c.req.Append([]byte("before"))
			require.NoError(t, err)
			require.Equal(t, append([]byte("before"), packet...), got)

			req, err := wire.ParseStopReq(packet[2:])
			require.NoError(t, err)
			require.Equal(t, c.req, req)
		})
	}
}

// The name ends where the packet does, so a cut one stops another name.
func TestStopReqCut(t *testing.T) {
	body := []byte("sfoo\x00ba")
	for end := 2; end <= len(body); end++ {
		req, err := wire.ParseStopReq(body[:end])
		require.NoError(t, err)
		require.Equal(t, "foo"[:min(end, 4)-1], string(req.Name))
		require.Equal(t, "\x00ba"[:max(end, 4)-4], string(req.Tail))
	}
	_, err := wire.ParseStopReq(body[:1])
	requireFault(t, err, wire.Error{Message: wire.MessageStopReq, Field: wire.FieldName, Fault: wire.FaultEmpty})
}

func TestStopReqNameIsClipped(t *testing.T) {
	body := []byte("sfoo\x00ba")
	req, err := wire.ParseStopReq(body)
	require.NoError(t, err)
	_ = append(req.Name, "overwritten"...)
	require.Equal(t, "sfoo\x00ba", string(body))
	require.Equal(t, 3, cap(req.Name))
}

func TestStopReqTag(t *testing.T) {
	want := wire.Error{Message: wire.MessageStopReq, Field: wire.FieldTag, Fault: wire.FaultTag}
	_, err := wire.ParseStopReq(nil)
	requireFault(t, err, want)
	for b := range 256 {
		if wire.Tag(b) == wire.TagStopReq {
			continue
		}
		req, err := wire.ParseStopReq([]byte{byte(b), 'f', 'o', 'o'})
		requireFault(t, err, want)
		require.Zero(t, req)
	}
}

func TestStopReqAppendFaults(t *testing.T) {
	long := bytes.Repeat([]byte("a"), wire.MaxBodyLen)
	for _, c := range []struct {
		name string
		req  wire.StopReq
		want wire.Error
	}{
		{"empty", wire.StopReq{}, wire.Error{
			Message: wire.MessageStopReq, Field: wire.FieldName, Fault: wire.FaultEmpty,
		}},
		{"NUL", wire.StopReq{Name: []byte("f\x00o")}, wire.Error{
			Message: wire.MessageStopReq, Field: wire.FieldName, Fault: wire.FaultNUL,
		}},
		{"tail without NUL", wire.StopReq{Name: []byte("foo"), Tail: []byte("a\x00")}, wire.Error{
			Message: wire.MessageStopReq, Field: wire.FieldName, Fault: wire.FaultNUL,
		}},
		{"empty name, tail without NUL", wire.StopReq{Tail: []byte("a")}, wire.Error{
			Message: wire.MessageStopReq, Field: wire.FieldName, Fault: wire.FaultNUL,
		}},
		{"name too long", wire.StopReq{Name: long}, wire.Error{
			Message: wire.MessagePacket, Field: wire.FieldMessage, Fault: wire.FaultTooLong,
		}},
		{"tail too long", wire.StopReq{Name: long[:wire.MaxBodyLen-2], Tail: []byte{0, 0}}, wire.Error{
			Message: wire.MessagePacket, Field: wire.FieldMessage, Fault: wire.FaultTooLong,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.req.Append([]byte("before"))
			requireFault(t, err, c.want)
			require.Equal(t, "before", string(got))
		})
	}
}

func TestStopResp(t *testing.T) {
	for reply, want := range map[string]bool{"STOPPED": true, "NOEXISTSTOPPED": false} {
		t.Run(reply, func(t *testing.T) {
			require.Equal(t, "before"+reply, string(wire.AppendStopResp([]byte("before"), want)))
			for _, behind := range []string{"", "\x00", "STOPPED", "\n"} {
				known, n, err := wire.ParseStopResp([]byte(reply + behind))
				require.NoError(t, err)
				require.Equal(t, want, known)
				require.Equal(t, len(reply), n)
			}
			for end := range len(reply) {
				requireBadStopResp(t, reply[:end], wire.FaultIncomplete)
			}
		})
	}
}

func TestStopRespFaults(t *testing.T) {
	for _, reply := range []string{
		"x", "TOP", "\x00", "stopped", "STOPPEX", "STOPPE\x00", "NOEXISTX", "NOEXIST STOPPED", "NOEXISTNOEXIST",
		"NOEXISTSTOPPEX", "NOSTOPPED", "STONOEXIST",
	} {
		requireBadStopResp(t, reply, wire.FaultSyntax)
	}
}

func requireBadStopResp(t *testing.T, reply string, fault wire.Fault) {
	t.Helper()
	known, n, err := wire.ParseStopResp([]byte(reply))
	requireFault(t, err, wire.Error{Message: wire.MessageStopResp, Field: wire.FieldText, Fault: fault})
	require.False(t, known)
	require.Zero(t, n)
}
