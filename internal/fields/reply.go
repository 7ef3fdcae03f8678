package fields

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/goepmd/goepmd/wire"
)

// errKind says that bytes are no reply to a request.
var errKind = errors.New("it is no such reply")

// Reply names the fields of the whole reply to the request with a tag.
func Reply(b []byte, to wire.Tag) Message {
	r := &reader{b: b}
	m := Message{}
	var err error
	switch to {
	case wire.TagAlive2Req:
		m.Name, err = aliveResp(r)
	case wire.TagPortPlease2Req:
		m.Name, err = port2Resp(r)
	case wire.TagNamesReq:
		m.Name, err = namesResp(r)
	case wire.TagDumpReq:
		m.Name, err = dumpResp(r)
	case wire.TagKillReq:
		m.Name = "KILL_RESP"
		_, n, fault := wire.ParseKillResp(b)
		words(r, n, map[string]string{"OK": "the daemon ends", "NO": "nodes are registered: it does not end"})
		err = fault
	case wire.TagStopReq:
		m.Name = "STOP_RESP"
		_, n, fault := wire.ParseStopResp(b)
		words(r, n, map[string]string{"STOPPED": "the name is unregistered", "NOEXISTSTOPPED": "there is no such node"})
		err = fault
	default:
		m.Name, err = framedResp(r, to)
	}
	if r.left() > 0 {
		if err == nil {
			err = wire.FaultExcess
		}
		r.rest("unknown", r.left(), "no part of such a reply")
	}
	if m.Fields = r.fields; err != nil {
		m.Fault, m.Label = err.Error(), labelOf(err)
	}
	return m
}

func words(r *reader, n int, meaning map[string]string) {
	r.text("text", n, meaning[string(r.b[:min(n, len(r.b))])])
}

func aliveResp(r *reader) (string, error) {
	resp, _, err := wire.ParseAlive2Resp(r.b)
	if errors.Is(err, wire.FaultTag) {
		return "", err
	}
	name, size := "ALIVE2_RESP", 2
	if len(r.b) > 0 && wire.Tag(r.b[0]) == wire.TagAlive2XResp {
		name, size = "ALIVE2_X_RESP", 4
	}
	r.number("tag", 1, says(name))
	r.number("result", 1, func(v int) string {
		if v == 0 {
			return "registered"
		}
		return "refused: the name is taken, or a field is too long or not UTF-8"
	})
	r.number("creation", size, func(int) string {
		if resp.Result != 0 {
			return "means nothing in a refusal"
		}
		return "tells this life of the node from its others"
	})
	return name, err
}

func found(v int) string {
	if v == 0 {
		return "found"
	}
	return "there is no such node"
}

func port2Resp(r *reader) (string, error) {
	resp, _, err := wire.ParsePort2Resp(r.b)
	if errors.Is(err, wire.FaultTag) {
		return "", err
	}
	r.number("tag", 1, says("PORT2_RESP"))
	r.number("result", 1, found)
	if resp.Result == 0 {
		nodeHead(r, true)
		r.text("name", r.number("name length", 2, length("name")), "")
		extra(r)
	}
	return "PORT2_RESP", err
}

func namesResp(r *reader) (string, error) {
	_, lines, err := wire.ParseListPort(r.b)
	r.number("port of EPMD", 4, says("lines follow"))
	for line, fault := range wire.NameLines(lines) {
		if fault != nil {
			return "NAMES_RESP", fault
		}
		r.literal(len("name "))
		r.text("name", len(line.Name), "")
		r.literal(len(" at port "))
		digits(r, "port", "where the node listens")
		r.literal(1)
	}
	return "NAMES_RESP", err
}

func dumpResp(r *reader) (string, error) {
	_, lines, err := wire.ParseListPort(r.b)
	r.number("port of EPMD", 4, says("lines follow"))
	for line, fault := range wire.DumpLines(lines) {
		if fault != nil {
			return "DUMP_RESP", fault
		}
		note := "remembered"
		if line.Active {
			note = "registered"
		}
		r.literal(bytes.IndexByte(r.b[r.at:], '<') + 1)
		r.text("name", len(line.Name), note)
		r.literal(len("> at port "))
		digits(r, "port", "where the node listens, or listened")
		r.literal(len(", fd = "))
		digits(r, "number", "the daemon's own for the connection")
		r.literal(bytes.IndexByte(r.b[r.at:], 0) + 1)
	}
	return "DUMP_RESP", err
}

// digits takes a number in text.
func digits(r *reader, name, note string) {
	n := 0
	for n < r.left() && '0' <= r.b[r.at+n] && r.b[r.at+n] <= '9' {
		n++
	}
	r.take(name, n, func(b []byte) (string, string) { return string(b), note })
}

// framedResp is a reply of the multi-transport extension, which has a length in front.
func framedResp(r *reader, to wire.Tag) (string, error) {
	names := map[wire.Tag]string{wire.TagAlive3Req: "ALIVE3_RESP", wire.TagPortPlease3Req: "PORT3_RESP", wire.TagNames3Req: "NAMES3_RESP", wire.TagDump3Req: "DUMP3_RESP", wire.TagKill3Req: "KILL3_RESP", wire.TagStop3Req: "STOP3_RESP"}
	name := names[to]
	if name == "" || len(r.b) < wire.HeaderLen {
		return name, errKind
	}
	for first := true; r.left() > 0; first = false {
		n := r.number("length", wire.HeaderLen, func(int) string { return "so many bytes follow" })
		if n > r.left() {
			r.rest("part", r.left(), "not all of it")
			return name, wire.FaultIncomplete
		}
		block := &reader{b: r.b[:r.at+n], at: r.at, fields: r.fields}
		switch to {
		case wire.TagAlive3Req:
			block.number("tag", 1, says("ALIVE2_RESP's or ALIVE2_X_RESP's"))
			block.number("result", 1, func(v int) string {
				if v == 0 {
					return "registered"
				}
				return "refused"
			})
			size := 2
			if wire.Tag(block.b[min(wire.HeaderLen, len(block.b)-1)]) == wire.TagAlive2XResp {
				size = 4
			}
			block.number("creation", size, says("tells this life of the node from its others"))
		case wire.TagPortPlease3Req:
			port3Resp(block)
		case wire.TagNames3Req, wire.TagDump3Req:
			block.number("more", 1, func(v int) string {
				if v == 0 {
					return "the last block"
				}
				return "more blocks follow"
			})
			if first {
				block.number("port of EPMD", 4, says("lines follow"))
			}
			for block.left() > 0 {
				line := bytes.IndexByte(block.b[block.at:], '\n') + 1
				if line == 0 {
					line = block.left()
				}
				block.text("line", line, "")
			}
		default:
			block.text("text", block.left(), "")
		}
		block.rest("unknown", block.left(), "no part of such a reply")
		r.at, r.fields = block.at, block.fields
		if to != wire.TagNames3Req && to != wire.TagDump3Req {
			break
		}
	}
	return name, faulty3(to, r.b)
}

// faulty3 says what wire has against a reply whose frame is whole.
func faulty3(to wire.Tag, b []byte) error {
	var err error
	switch to {
	case wire.TagAlive3Req:
		_, _, err = wire.ParseAlive3Resp(b)
	case wire.TagPortPlease3Req:
		_, _, err = wire.ParsePort3Resp(b)
	}
	return err
}

func port3Resp(r *reader) {
	r.number("tag", 1, says("PORT3_RESP"))
	if r.number("result", 1, found) != 0 {
		return
	}
	r.number("zero", 2, says("always 0"))
	n := r.number("count", 1, func(v int) string { return count(v, "transport") })
	r.number("list length", 2, length("list"))
	for range n {
		r.number("port", 2, says("where the node listens by this transport"))
		r.text("transport", r.number("transport length", 1, length("transport")), "")
	}
	r.number("type", 1, nodeType)
	versions(r)
	r.text("name", r.number("name length", 2, length("name")), "")
	extra(r)
}

// Guess takes bytes for a reply if they look like one, else for a request. A reply of the
// multi-transport extension is taken for one only if its tag tells.
func Guess(b []byte) Message {
	if n, err := wire.PacketLen(b); err == nil && n > 0 && n == len(b) && requestName(wire.Tag(b[wire.HeaderLen])) != "" {
		return Request(b)
	}
	for _, t := range []wire.Tag{wire.TagAlive2Req, wire.TagPortPlease2Req, wire.TagKillReq, wire.TagStopReq} {
		if m := Reply(b, t); len(b) > 0 && m.Fault == "" {
			return m
		}
	}
	const list = 4 // the port before its lines
	if len(b) >= list && binary.BigEndian.Uint16(b) == 0 {
		for _, t := range []wire.Tag{wire.TagNamesReq, wire.TagDumpReq} {
			if m := Reply(b, t); m.Fault == "" {
				return m
			}
		}
	}
	if len(b) > wire.HeaderLen && int(binary.BigEndian.Uint16(b))+wire.HeaderLen == len(b) {
		for tag, t := range map[byte]wire.Tag{'y': wire.TagAlive3Req, 'v': wire.TagAlive3Req, 'w': wire.TagPortPlease3Req} {
			if b[wire.HeaderLen] == tag {
				return Reply(b, t)
			}
		}
	}
	return Request(b)
}
