package conformance

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// The messages of the multi-transport extension.

// numbers takes fields that are numbers, in order.
func (v *values) numbers(fields ...numberField) (Bytes, error) {
	var out Bytes
	for _, f := range fields {
		p, err := v.number(f.key, f.def, f.size)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// numberField is a field of so many bytes, with a default.
type numberField struct {
	key       string
	def, size int
}

// texts appends parts that are not empty.
func (b Bytes) texts(field string, text []byte) Bytes {
	if len(text) == 0 {
		return b
	}
	return append(b, Part{Field: field, Bytes: text})
}

func alive3Req(v *values) (Bytes, error) {
	transport, name, extra := v.raw("transport", "inet_tcp"), v.raw("name", ""), v.raw("extra", "")
	head, err := v.numbers(numberField{"port", 1000, 2}, numberField{"type", 77, 1}, numberField{"tlen", len(transport), 1})
	if err != nil {
		return nil, err
	}
	versions, err := v.numbers(numberField{"highest", 6, 2}, numberField{"lowest", 5, 2}, numberField{"nlen", len(name), 2})
	if err != nil {
		return nil, err
	}
	elen, err := v.number("elen", len(extra), 2)
	if err != nil {
		return nil, err
	}
	parts := append(Bytes{{Field: "tag", Bytes: []byte{'X'}}}, head...).texts("transport", transport)
	parts = append(parts, versions...).texts("name", name)
	return framed(v, append(parts, elen).texts("extra", extra)...)
}

// portPlease3Req lists transports with commas between: transports=inet_tls,inet_tcp.
func portPlease3Req(v *values) (Bytes, error) {
	var list []byte
	names := bytes.Split(v.raw("transports", "inet_tcp"), []byte(","))
	if len(names) == 1 && len(names[0]) == 0 {
		names = nil
	}
	for _, name := range names {
		list = append(append(list, byte(len(name))), name...)
	}
	list = append(list, v.raw("list", "")...)
	name := v.raw("name", "")
	head, err := v.numbers(numberField{"zero", 0, 1}, numberField{"count", len(names), 1}, numberField{"mlen", len(list), 2})
	if err != nil {
		return nil, err
	}
	nlen, err := v.number("nlen", len(name)&0xff, 1)
	if err != nil {
		return nil, err
	}
	parts := append(Bytes{{Field: "tag", Bytes: []byte{'Z'}}}, head...).texts("transports", list)
	return framed(v, append(parts, nlen).texts("name", name)...)
}

// long puts the length in front of parts without holes, or of such with a known length.
func long(parts Bytes) Bytes {
	size := 0
	for _, p := range parts {
		size += len(p.Bytes) + max(p.Hole.Len(), 0)
	}
	return append(Bytes{{Field: "n", Bytes: binary.BigEndian.AppendUint16(nil, uint16(size))}}, parts...)
}

func alive3Resp(v *values, tag byte, size int) (Bytes, error) {
	parts, err := alive2Resp(v, tag, size)
	return long(parts), err
}

// port3Resp tells transports as a list: PORT3_RESP(name=foo inet_tcp:1000 "":2).
func port3Resp(v *values) (Bytes, error) {
	result, err := v.number("result", 0, 1)
	if err != nil {
		return nil, err
	}
	out := Bytes{{Field: "tag", Bytes: []byte{'w'}}, result}
	if result.Bytes[0] != 0 {
		return long(out), nil
	}
	var list []byte
	entries := v.takeList()
	for _, t := range entries {
		port, err := parsePort(t.number())
		if err != nil {
			return nil, err
		}
		list = binary.BigEndian.AppendUint16(list, port)
		list = append(append(list, byte(len(t.bytes))), t.bytes...)
	}
	name, extra := v.raw("name", ""), v.raw("extra", "")
	rest, err := v.numbers(numberField{"type", 77, 1}, numberField{"highest", 6, 2}, numberField{"lowest", 5, 2})
	if err != nil {
		return nil, err
	}
	size := func(field string, n, bytes int) Part {
		p, _ := (&values{}).number(field, n, bytes) // a default is a number
		return p
	}
	out = append(out, size("zero", 0, 2), size("count", len(entries), 1), size("mlen", len(list), 2)).texts("transports", list)
	out = append(append(out, rest...), size("nlen", len(name), 2)).texts("name", name)
	return long(append(out, size("elen", len(extra), 2)).texts("extra", extra)), nil
}

func parsePort(text string) (uint16, error) {
	var port uint16
	if _, err := fmt.Sscanf(text, "%d", &port); err != nil {
		return 0, fmt.Errorf("%s is no port", text)
	}
	return port, nil
}

// maxBlock is how long a block of a list may be, its length field included.
const maxBlock = 16384

// names3Resp is a list with the transports of each node, in blocks:
// NAMES3_RESP(foo:1000#inet_tcp,1001#inet_tls bar:7#). Without a port it is 1000#.
func names3Resp(v *values) (Bytes, error) {
	var done, block Bytes
	begin := func() { block = Bytes{{Field: "more", Bytes: []byte{0}}} }
	begin()
	block = append(block, Part{Field: "epmd port", Hole: Hole{Kind: OwnPort}})
	size := 2 + 1 + 4
	for _, node := range v.takeList() {
		line := text("name ", node.bytes, " at port ", node.ports(), "\n")
		n := 0
		for _, p := range line {
			n += len(p.Bytes)
		}
		if size += n; size > maxBlock {
			block[0].Bytes = []byte{1}
			done = append(done, long(block)...)
			begin()
			size = 2 + 1 + n
		}
		block = append(block, line...)
	}
	return append(done, long(block)...), nil
}

// ports is what stands behind a node's name: its ports with their transports.
func (v value) ports() string {
	if v.port == "" {
		return "1000#"
	}
	return strings.ReplaceAll(v.port, ",", " ")
}

// dump3Resp is a dump in one block: DUMP3_RESP(foo:1#inet_tcp old bar:2#inet_tls).
func dump3Resp(v *values) (Bytes, error) {
	out := Bytes{
		{Field: "n", Hole: Hole{Kind: Length}}, {Field: "more", Bytes: []byte{0}},
		{Field: "epmd port", Hole: Hole{Kind: OwnPort}},
	}
	begin := "active name     <"
	for _, node := range v.takeList() {
		if node.text == "old" && node.port == "" {
			begin = "old/unused name <"
			continue
		}
		out = append(out, text(begin, node.bytes, "> at port ", node.ports(), ", fd = ", nil, "\n")...)
	}
	return out, nil
}
