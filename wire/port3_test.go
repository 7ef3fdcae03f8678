package wire_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

// transports is a list of these names.
func transports(t testing.TB, names ...string) wire.TransportList {
	t.Helper()
	l, err := wire.AppendTransports(nil, names...)
	require.NoError(t, err)
	return l
}

func TestTransportList(t *testing.T) {
	l := transports(t, "inet_tls", "", "uds")
	require.Equal(t, "\x08inet_tls\x00\x03uds", string(l))
	require.Equal(t, 3, l.Len())
	var names []string
	for name := range l.All() {
		names = append(names, string(name))
		require.Equal(t, len(name), cap(name))
	}
	require.Equal(t, []string{"inet_tls", "", "uds"}, names)
	for _, name := range names {
		require.True(t, l.Has(name))
	}
	for _, name := range []string{"inet_tl", "inet_tlss", "u", "x"} {
		require.False(t, l.Has(name))
	}
	require.False(t, wire.TransportList{}.Has(""))
	require.False(t, l[:len(l)-1].Has("uds"), "it runs past the end")
	require.Equal(t, 2, l[:len(l)-1].Len())

	require.True(t, transports(t, "").Has(""), "it has no other")

	_, err := wire.AppendTransports(nil, strings.Repeat("t", 127))
	require.NoError(t, err)
	same, err := wire.AppendTransports(l, strings.Repeat("t", 128))
	require.Equal(t, l, same)
	requireFault(t, err, wire.Error{Message: wire.MessagePortPlease3Req, Field: wire.FieldTransport, Fault: wire.FaultTooLong})
	l, err = wire.AppendTransports(l, slices.Repeat([]string{"t"}, 29)...)
	require.NoError(t, err)
	more, err := wire.AppendTransports(l, "t")
	requireFault(t, err, wire.Error{Message: wire.MessagePortPlease3Req, Field: wire.FieldTransports, Fault: wire.FaultTooLong})
	require.Equal(t, l, more)
}

// TestPortList: what runs past the end is no entry, and one without a name is one.
func TestPortList(t *testing.T) {
	for text, want := range map[string][]wire.Transport{
		"": nil, "\x00\x01": nil, "\x00\x01\x01": nil,
		"\x00\x01\x00":              {{Port: 1}},
		"\x00\x01\x01t\x01\x00\x00": {{Name: "t", Port: 1}, {Port: 256}},
		"\x00\x01\x01t\x01\x00\x01": {{Name: "t", Port: 1}},
	} {
		require.Equal(t, want, wire.PortList(text).Transports(), "%q", text)
	}
}

func TestPortPlease3Req(t *testing.T) {
	for packet, want := range map[string]wire.PortPlease3Req{
		"0010 5a 00 01 0009 08 696e65745f746370 01 73":         {Transports: transports(t, "inet_tcp"), Name: []byte("s")},
		"0007 5a 00 00 0000 01 73":                             {Transports: wire.TransportList{}, Name: []byte("s")},
		"0009 5a 00 01 0001 00 01 73 00":                       {Transports: transports(t, ""), Name: []byte("s"), Terminated: true},
		"0107 5a 00 01 0001 00 ff" + strings.Repeat("73", 256): {Transports: transports(t, ""), Name: bytes.Repeat([]byte("s"), 256)},
		"000c 5a 00 02 0004 0174 0175 02 c3a9":                 {Transports: transports(t, "t", "u"), Name: []byte("é")},
	} {
		raw := unhex(packet)
		raw[0], raw[1] = byte((len(raw)-2)>>8), byte(len(raw)-2)
		got, err := wire.ParsePortPlease3Req(raw[2:])
		require.NoError(t, err, packet)
		require.Equal(t, want, got)
		again, err := want.Append([]byte("before"))
		require.NoError(t, err)
		if len(want.Name) < 256 {
			require.Equal(t, "before"+string(raw), string(again))
		} else {
			require.Len(t, again, len("before")+len(raw))
		}
	}
}

// TestPortPlease3ReqFaults: what closes, and what is answered as if there were no such
// node.
func TestPortPlease3ReqFaults(t *testing.T) {
	fault := func(f wire.Field, of wire.Fault) wire.Error {
		return wire.Error{Message: wire.MessagePortPlease3Req, Field: f, Fault: of}
	}
	most := "5a 00 20 0020" + strings.Repeat("00", 32) + "01 73"
	many := "5a 00 21 0021" + strings.Repeat("00", 33) + "01 73"
	for body, want := range map[string]wire.Error{
		"":                      fault(wire.FieldTag, wire.FaultTag),
		"7a 00 00 0000 01 73":   fault(wire.FieldTag, wire.FaultTag),
		"5a":                    fault(wire.FieldMessage, wire.FaultShort),
		"5a 00 00 0000":         fault(wire.FieldMessage, wire.FaultShort),
		"5a 00 00 0000 00":      fault(wire.FieldName, wire.FaultEmpty),
		"5a 00 00 0000 01 00":   fault(wire.FieldName, wire.FaultEmpty),
		"5a 00 01 0002 0174 01": fault(wire.FieldName, wire.FaultEmpty),
		"5a 00 01 0080 7f" + strings.Repeat("74", 127) + "01 73": {},
		"5a 00 01 0081 80" + strings.Repeat("74", 128) + "01 73": fault(wire.FieldTransport, wire.FaultTooLong),
		most:                       {},
		many:                       fault(wire.FieldTransports, wire.FaultTooLong),
		"5a 00 01 01f4 0174 01 73": fault(wire.FieldTransports, wire.FaultShort),
		"5a 00 01 0004 0174 01 73": fault(wire.FieldTransports, wire.FaultShort), // no room for the name's length
		"5a 00 02 0004 0174 0173":  fault(wire.FieldTransports, wire.FaultShort), // likewise
		"5a 00 02 0002 0174 01 73": fault(wire.FieldTransports, wire.FaultShort),
		"5a 00 00 0002 0174 01 73": fault(wire.FieldTransports, wire.FaultShort),
		"5a 00 01 0003 0174 01 73": fault(wire.FieldTransports, wire.FaultShort),
		"5a 00 01 0001 01 01 73":   fault(wire.FieldTransports, wire.FaultShort),
	} {
		req, err := wire.ParsePortPlease3Req(unhex(body))
		if want == (wire.Error{}) {
			require.NoError(t, err)
			continue
		}
		requireFault(t, err, want)
		require.Zero(t, req)
	}
	s := []byte("s")
	for name, c := range map[string]struct {
		req  wire.PortPlease3Req
		want wire.Error
	}{
		"no name":    {wire.PortPlease3Req{}, fault(wire.FieldName, wire.FaultEmpty)},
		"no list":    {wire.PortPlease3Req{Name: s, Transports: []byte{3}}, fault(wire.FieldTransports, wire.FaultShort)},
		"too many":   {wire.PortPlease3Req{Name: s, Transports: make([]byte, 33)}, fault(wire.FieldTransports, wire.FaultTooLong)},
		"too long":   {wire.PortPlease3Req{Name: s, Transports: append([]byte{128}, make([]byte, 128)...)}, fault(wire.FieldTransport, wire.FaultTooLong)},
		"a long one": {wire.PortPlease3Req{Name: make([]byte, wire.MaxBodyLen)}, wire.Error{Message: wire.MessagePacket, Field: wire.FieldMessage, Fault: wire.FaultTooLong}},
	} {
		got, err := c.req.Append([]byte("before"))
		requireFault(t, err, c.want)
		require.Equal(t, "before", string(got), name)
	}
	_, err := wire.PortPlease3Req{Name: s, Transports: make([]byte, wire.MaxTransports)}.Append(nil)
	require.NoError(t, err)
}

const port3Reply = "0029 77 00 0000 02 0016 c1ed 08 696e65745f746370 a205 08 696e65745f746c73 4d 0005 0004 0001 73 0002 6578"

func TestPort3Resp(t *testing.T) {
	raw := unhex(port3Reply)
	of := []wire.Transport{{Name: "inet_tcp", Port: 49645}, {Name: "inet_tls", Port: 41477}}
	node := wire.Node{Name: "s", Type: 77, Highest: 5, Lowest: 4, Extra: "ex"}
	require.Equal(t, "before"+string(raw), string(node.AppendPort3Resp([]byte("before"), of)))
	resp, n, err := wire.ParsePort3Resp(append(bytes.Clone(raw), "behind"...))
	require.NoError(t, err)
	require.Equal(t, len(raw), n)
	require.Equal(t, node, resp.Node())
	require.Equal(t, of, resp.Transports.Transports())
	require.Equal(t, "before"+string(raw), string(resp.Append([]byte("before"))))
	for _, name := range resp.Transports.All() {
		require.Equal(t, "inet_tcp", string(name))
		break
	}

	empty := wire.Node{Name: "s"}.AppendPort3Resp(nil, nil)
	resp, _, err = wire.ParsePort3Resp(empty)
	require.NoError(t, err)
	require.Empty(t, resp.Transports.Transports())
	none := wire.Port3Resp{Result: 1}.Append(nil)
	require.Equal(t, unhex("0002 77 01"), none)
	resp, n, err = wire.ParsePort3Resp(none)
	require.NoError(t, err)
	require.Equal(t, 4, n)
	require.Equal(t, wire.Port3Resp{Result: 1}, resp)
	for _, reply := range [][]byte{raw, empty, none} {
		for end := range reply {
			_, _, err := wire.ParsePort3Resp(reply[:end])
			requireFault(t, err, wire.Error{Message: wire.MessagePort3Resp, Field: wire.FieldMessage, Fault: wire.FaultIncomplete})
		}
	}
}

func TestPort3RespFaults(t *testing.T) {
	for text, want := range map[string]string{
		"0002 79 01":    "tag is not a known one",
		"0001":          "length is not of the expected form",
		"0001 77":       "length is not of the expected form",
		"0003 77 01 00": "length is not of the expected form",
		"0002 77 00":    "length is not of the expected form",
		"0010 77 00 0000 00 0001 00 0000 0000 0000 0000":        "length is not of the expected form", // mlen
		"0010 77 00 0000 00 0009 00 0000 0000 0000 0000":        "length is not of the expected form", // it leaves nothing
		"0010 77 00 0000 00 0000 00 0000 0000 0001 0000":        "length is not of the expected form", // nlen
		"0010 77 00 0000 00 0000 00 0000 0000 0000 0001":        "length is not of the expected form", // elen
		"0011 77 00 0000 00 0000 00 0000 0000 0000 0000 ff":     "length is not of the expected form", // a tail
		"0010 77 00 0000 01 0000 00 0000 0000 0000 0000":        "transports is not of the expected form",
		"0013 77 00 0000 00 0003 000000 00 0000 0000 0000 0000": "transports is not of the expected form",
		"0013 77 00 0000 01 0003 000001 00 0000 0000 0000 0000": "transports is not of the expected form",
	} {
		resp, _, err := wire.ParsePort3Resp(unhex(text))
		require.EqualError(t, err, "PORT3_RESP: "+want, text)
		require.Zero(t, resp)
	}
}

// TestPort3RespLongest: the longest node with as many transports as there may be.
func TestPort3RespLongest(t *testing.T) {
	var of []wire.Transport
	for i := range wire.MaxTransports {
		of = append(of, wire.Transport{Name: fmt.Sprintf("%0127d", i), Port: uint16(i)})
	}
	n := wire.Node{Name: strings.Repeat("n", wire.MaxNameBytes), Extra: strings.Repeat("e", wire.MaxExtraBytes)}
	resp, _, err := wire.ParsePort3Resp(n.AppendPort3Resp(nil, of))
	require.NoError(t, err)
	require.Equal(t, of, resp.Transports.Transports())
	require.Equal(t, n, resp.Node())
}
