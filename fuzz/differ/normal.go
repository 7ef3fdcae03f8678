package differ

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/goepmd/goepmd/wire"
)

// normal makes the replies of one daemon to one conversation comparable with
// those of another.
type normal struct {
	port   uint16
	prefix string
	first  map[string]*creations
}

// creations is what the first life of a name that was seen was told.
type creations struct {
	wide   uint32 // 0 before one of 32 bits was seen
	narrow uint32 // counter modulo 3
}

// reply is what arrived on a connection, given all that was sent there, for
// comparing. It may be asked again.
func (n *normal) reply(sent, got []byte) []byte {
	size, err := wire.PacketLen(sent)
	if err != nil || size == 0 || len(sent) < size || len(got) == 0 {
		return got
	}
	body := sent[wire.HeaderLen:size]
	switch wire.Tag(body[0]) {
	case wire.TagAlive2Req:
		return n.registration(body, got)
	case wire.TagAlive3Req:
		return n.registrations(sent, got)
	case wire.TagNames3Req, wire.TagDump3Req:
		return n.blocks(got)
	case wire.TagNamesReq:
		return n.list(got, n.nameLines)
	case wire.TagDumpReq:
		return n.list(got, n.dumpLines)
	}
	return got
}

// registration replaces the creation by its distance from the first one that the
// name was given.
func (n *normal) registration(body, got []byte) []byte {
	req, err := wire.ParseAlive2Req(body)
	resp, size, faulty := wire.ParseAlive2Resp(got)
	if err != nil || faulty != nil || size != len(got) || resp.Result != 0 {
		return got
	}
	return n.creation(req.Name, resp, got)
}

// creation is that text for one reply.
func (n *normal) creation(name []byte, resp wire.Alive2Resp, got []byte) []byte {
	narrow := (resp.Creation + 2) % 3 // 1 to 3 is the counter modulo 3, plus 1
	if resp.Extended {
		narrow = resp.Creation % 3
	} else if resp.Creation < 1 || resp.Creation > 3 {
		return fmt.Appendf(nil, "creation %d of 16 bits", resp.Creation)
	}
	f := n.first[string(name)]
	if f == nil {
		if n.first == nil {
			n.first = make(map[string]*creations)
		}
		f = &creations{narrow: narrow}
		n.first[string(name)] = f
	}
	text := append([]byte(nil), got[:2]...)
	text = append(text, "creation +"...)
	text = strconv.AppendUint(text, uint64((narrow+3-f.narrow)%3), 10)
	if resp.Extended {
		if resp.Creation < 4 {
			return fmt.Appendf(nil, "creation %d of 32 bits", resp.Creation)
		}
		if f.wide == 0 {
			f.wide = resp.Creation
		}
		text = append(text, " of 3, +"...)
		text = strconv.AppendUint(text, uint64(resp.Creation-f.wide), 10)
	}
	return text
}

// list replaces the daemon's own port, and leaves the lines to a function.
func (n *normal) list(got []byte, lines func([]byte) []byte) []byte {
	if len(got) < 4 {
		return got
	}
	text := []byte("PORT ")
	if p := binary.BigEndian.Uint32(got); p != uint32(n.port) {
		text = fmt.Appendf(nil, "wrong port %d ", p)
	}
	return append(text, lines(got[4:])...)
}

// nameLines leaves the lines of this conversation's own names. Every shared name
// begins with a prefix, and none holds what looks like the begin of a line, so
// lines are told apart for certain.
func (n *normal) nameLines(b []byte) []byte {
	if n.prefix == "" {
		return b
	}
	own, next := []byte("name "+n.prefix), []byte("\nname "+prefixMark)
	var out []byte
	for len(b) > 0 {
		end := bytes.Index(b, next) + 1
		if end == 0 {
			end = len(b)
		}
		if bytes.HasPrefix(b, own) || !bytes.HasPrefix(b, next[1:]) {
			out = append(out, b[:end]...)
		}
		b = b[end:]
	}
	return out
}

// dumpLines leaves the lines of this conversation's own names, with their
// descriptors replaced.
func (n *normal) dumpLines(b []byte) []byte {
	var out []byte
	for len(b) > 0 {
		line, rest, ended := bytes.Cut(b, []byte{0})
		b = rest
		if _, name, ok := bytes.Cut(line, []byte("<")); ok && n.prefix != "" &&
			bytes.HasPrefix(name, []byte(prefixMark)) && !bytes.HasPrefix(name, []byte(n.prefix)) {
			continue
		}
		out = append(out, withoutFD(line)...)
		if ended {
			out = append(out, 0)
		}
	}
	return out
}

// withoutFD replaces the descriptor at the end of a line.
func withoutFD(line []byte) []byte {
	mark := []byte(", fd = ")
	at := bytes.LastIndex(line, mark)
	if at < 0 {
		return line
	}
	number := line[at+len(mark):]
	end := bytes.TrimLeft(number, "0123456789")
	if len(end) == len(number) {
		return line
	}
	return append(append(append([]byte(nil), line[:at]...), ", fd = FD"...), end...)
}
