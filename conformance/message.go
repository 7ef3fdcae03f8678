package conformance

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// The messages are written out here from the protocol's description, not with the
// codec of this project: the suite is to find out where that one is wrong.

// message takes a message: "NAMES_REQ", "PORT2_RESP(result=1)".
func (s *scanner) message() (Bytes, error) {
	name := s.word(" ,|)(*")
	v, err := s.fields(name)
	if err != nil {
		return nil, err
	}
	build, ok := builders[name]
	if !ok {
		return nil, fmt.Errorf("%s is no message", name)
	}
	b, err := build(&v)
	if err == nil {
		err = v.left()
	}
	if err == nil && len(v.list) > 0 {
		err = fmt.Errorf("%s holds no list", name)
	}
	return b, err
}

var builders = map[string]func(*values) (Bytes, error){
	"ALIVE2_REQ":       alive2Req,
	"PORT_PLEASE2_REQ": func(v *values) (Bytes, error) { return named(v, 'z') },
	"STOP_REQ":         func(v *values) (Bytes, error) { return named(v, 's') },
	"NAMES_REQ":        func(v *values) (Bytes, error) { return framed(v, Part{Field: "tag", Bytes: []byte{'n'}}) },
	"DUMP_REQ":         func(v *values) (Bytes, error) { return framed(v, Part{Field: "tag", Bytes: []byte{'d'}}) },
	"KILL_REQ":         func(v *values) (Bytes, error) { return framed(v, Part{Field: "tag", Bytes: []byte{'k'}}) },
	"FRAME":            func(v *values) (Bytes, error) { return framed(v, Part{Field: "body", Bytes: v.raw("body", "")}) },
	"ALIVE2_X_RESP":    func(v *values) (Bytes, error) { return alive2Resp(v, 'v', 4) },
	"ALIVE2_RESP":      func(v *values) (Bytes, error) { return alive2Resp(v, 'y', 2) },
	"PORT2_RESP":       port2Resp,
	"ALIVE3_REQ":       alive3Req,
	"PORT_PLEASE3_REQ": portPlease3Req,
	"NAMES3_REQ":       func(v *values) (Bytes, error) { return framed(v, Part{Field: "tag", Bytes: []byte{'N'}}) },
	"DUMP3_REQ":        func(v *values) (Bytes, error) { return framed(v, Part{Field: "tag", Bytes: []byte{'D'}}) },
	"KILL3_REQ":        func(v *values) (Bytes, error) { return framed(v, Part{Field: "tag", Bytes: []byte{'K'}}) },
	"STOP3_REQ":        func(v *values) (Bytes, error) { return named(v, 'S') },
	"ALIVE3_RESP":      func(v *values) (Bytes, error) { return alive3Resp(v, 'y', 2) },
	"ALIVE3_X_RESP":    func(v *values) (Bytes, error) { return alive3Resp(v, 'v', 4) },
	"PORT3_RESP":       port3Resp,
	"NAMES3_RESP":      names3Resp,
	"DUMP3_RESP":       dump3Resp,
	"NAMES_RESP":       namesResp,
	"DUMP_RESP":        dumpResp,
}

// framed puts the length in front of parts, and a tail behind them. A field n=
// makes it lie.
func framed(v *values, parts ...Part) (Bytes, error) {
	if tail := v.raw("tail", ""); len(tail) > 0 {
		parts = append(parts, Part{Field: "tail", Bytes: tail})
	}
	size := 0
	for _, p := range parts {
		size += len(p.Bytes)
	}
	n, err := v.number("n", size, 2)
	return append(Bytes{n}, parts...), err
}

// named is a request of a tag and a name.
func named(v *values, tag byte) (Bytes, error) {
	return framed(v, Part{Field: "tag", Bytes: []byte{tag}}, Part{Field: "name", Bytes: v.raw("name", "")})
}

// nodeParts are the fields that ALIVE2_REQ and PORT2_RESP share.
func nodeParts(v *values) (Bytes, error) {
	name, extra := v.raw("name", ""), v.raw("extra", "")
	var out Bytes
	for _, f := range []struct {
		field string
		def   int
		size  int
	}{{"port", 1000, 2}, {"type", 77, 1}, {"protocol", 0, 1}, {"highest", 6, 2}, {"lowest", 5, 2}, {"nlen", len(name), 2}} {
		p, err := v.number(f.field, f.def, f.size)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	elen, err := v.number("elen", len(extra), 2)
	if len(name) > 0 {
		out = append(out, Part{Field: "name", Bytes: name})
	}
	out = append(out, elen)
	if len(extra) > 0 {
		out = append(out, Part{Field: "extra", Bytes: extra})
	}
	return out, err
}

func alive2Req(v *values) (Bytes, error) {
	parts, err := nodeParts(v)
	if err != nil {
		return nil, err
	}
	return framed(v, append(Bytes{{Field: "tag", Bytes: []byte{'x'}}}, parts...)...)
}

// alive2Resp is a reply to a registration. creation=x is a hole, creation=99 a
// number, and first=x a creation that begins with the time.
func alive2Resp(v *values, tag byte, size int) (Bytes, error) {
	result, err := v.number("result", 0, 1)
	if err != nil {
		return nil, err
	}
	out := Bytes{{Field: "tag", Bytes: []byte{tag}}, result}
	kind, key := Creation4, "creation"
	if size == 2 {
		kind = Creation2
	}
	if _, first := v.of["first"]; first {
		kind, key = FirstCreation, "first"
	}
	if _, err := strconv.Atoi(v.of[key].text); err == nil {
		n, err := v.number(key, 0, size)
		return append(out, n), err
	}
	name := v.of[key].text
	delete(v.of, key)
	h, err := newHole(kind, name)
	return append(out, Part{Field: "creation", Hole: h}), err
}

func port2Resp(v *values) (Bytes, error) {
	result, err := v.number("result", 0, 1)
	if err != nil {
		return nil, err
	}
	out := Bytes{{Field: "tag", Bytes: []byte{'w'}}, result}
	if result.Bytes[0] != 0 {
		return out, nil
	}
	parts, err := nodeParts(v)
	return append(out, parts...), err
}

// namesResp is a list: NAMES_RESP(foo:1000 "b c":1001). Without a port it is 1000.
func namesResp(v *values) (Bytes, error) {
	out := Bytes{{Field: "epmd port", Hole: Hole{Kind: OwnPort}}}
	for _, node := range v.takeList() {
		out = append(out, text("name ", node.bytes, " at port ", node.number(), "\n")...)
	}
	return out, nil
}

// dumpResp is a dump: first the active nodes, then after the word "old" those that
// are remembered: DUMP_RESP(foo:1000 old bar:1001).
func dumpResp(v *values) (Bytes, error) {
	out := Bytes{{Field: "epmd port", Hole: Hole{Kind: OwnPort}}}
	old := false
	for _, node := range v.takeList() {
		switch {
		case node.text == "old" && node.port == "":
			old = true
		case old:
			out = append(out, text("old/unused name <", node.bytes, ">, port = ", node.number(), ", fd = ", nil, " \n\x00")...)
		default:
			out = append(out, text("active name     <", node.bytes, "> at port ", node.number(), ", fd = ", nil, "\n\x00")...)
		}
	}
	return out, nil
}

// takeList takes the nodes of a list. A name with a range stands for many:
// n[3..1] is n3 n2 n1.
func (v *values) takeList() []value {
	var list []value
	for _, val := range v.list {
		list = append(list, val.expand()...)
	}
	v.list = nil
	return list
}

func (v value) expand() []value {
	before, rest, ok := strings.Cut(v.text, "[")
	bounds, after, ok2 := strings.Cut(rest, "]")
	first, last, ok3 := strings.Cut(bounds, "..")
	from, err := strconv.Atoi(first)
	to, err2 := strconv.Atoi(last)
	if !ok || !ok2 || !ok3 || err != nil || err2 != nil {
		return []value{v}
	}
	var out []value
	for i := from; ; {
		name := before + strconv.Itoa(i) + after
		out = append(out, value{text: name, bytes: []byte(name), port: v.port})
		switch {
		case i < to:
			i++
		case i > to:
			i--
		default:
			return out
		}
	}
}

// number is the port of a node in a list, as text.
func (v value) number() string {
	if v.port == "" {
		return "1000"
	}
	return v.port
}

// text is a line of a list: texts, a name as bytes, and a number of the daemon's
// own where nil stands.
func text(parts ...any) Bytes {
	var out Bytes
	for i, p := range parts {
		switch p := p.(type) {
		case string:
			field := "line"
			if i > 0 && p != "" && p[0] >= '0' && p[0] <= '9' {
				field = "port"
			}
			out = append(out, Part{Field: field, Bytes: []byte(p)})
		case []byte:
			out = append(out, Part{Field: "name", Bytes: p})
		case nil:
			out = append(out, Part{Field: "fd", Hole: Hole{Kind: Digits}})
		}
	}
	return out
}

// frame puts a length in front of a body.
func frame(body []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)
}
