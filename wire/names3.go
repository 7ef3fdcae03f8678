package wire

import (
	"bytes"
	"iter"
	"math"
	"slices"
	"strconv"
)

var (
	errNames3ReqTag   = &Error{MessageNames3Req, FieldTag, FaultTag}
	errNames3RespLine = &Error{MessageNames3Resp, FieldLine, FaultSyntax}
)

// Names3Req is a NAMES3_REQ: somebody asks for the list of registered nodes with
// their transports. The answer is a list in [Blocks].
//
//	78
type Names3Req struct {
	// Tail is what follows the tag. A daemon ignores it.
	Tail []byte
}

// ParseNames3Req reads the body of a NAMES3_REQ; it fails with [FaultTag] only.
func ParseNames3Req(body []byte) (Names3Req, error) {
	if len(body) == 0 || Tag(body[0]) != TagNames3Req {
		return Names3Req{}, errNames3ReqTag
	}
	return Names3Req{Tail: slices.Clip(body[1:])}, nil
}

// Append appends the request as a packet. It fails with [FaultTooLong] only.
func (r Names3Req) Append(b []byte) ([]byte, error) {
	return appendTagged(b, TagNames3Req, r.Tail)
}

// Name3Line is one line of the answer to a NAMES3_REQ.
//
//	name NAME at port PORT#TRANSPORT PORT#TRANSPORT\n
type Name3Line struct {
	// Name borrows from what was parsed.
	Name       []byte
	Transports PortText
}

// PortText is transports with their ports in the order of their registration, as a
// line tells them: PORT#TRANSPORT, with blanks between.
type PortText []byte

// All yields each port with the name of its transport, which borrows from the text.
func (p PortText) All() iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(p) > 0 {
			port, name, n := p.cut()
			if n == 0 || !yield(port, name) {
				return
			}
			p = p[n:]
		}
	}
}

// Transports copies the list.
func (p PortText) Transports() []Transport {
	var out []Transport
	for port, name := range p.All() {
		out = append(out, Transport{Name: string(name), Port: port})
	}
	return out
}

// cut reads the transport at the start and the blank behind it; n is 0 if there is
// none.
func (p PortText) cut() (port uint16, name []byte, n int) {
	v, size, ok := cutNumber(p, math.MaxUint16)
	if !ok || size == len(p) || p[size] != '#' {
		return 0, nil, 0
	}
	name = p[size+1:]
	if end := bytes.IndexByte(name, ' '); end >= 0 {
		if end == len(name)-1 {
			return 0, nil, 0
		}
		return uint16(v), name[:end:end], size + 1 + end + 1
	}
	return uint16(v), slices.Clip(name), len(p)
}

// valid says whether the text is at least one transport and nothing else.
func (p PortText) valid() bool {
	for len(p) > 0 {
		_, _, n := p.cut()
		if n == 0 {
			return false
		}
		if p = p[n:]; len(p) == 0 {
			return true
		}
	}
	return false
}

func appendPortText(b []byte, of []Transport) []byte {
	for i, t := range of {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendUint(b, uint64(t.Port), 10)
		b = append(b, '#')
		b = append(b, t.Name...)
	}
	return b
}

// AppendName3Line appends the line of one registered node with its transports, at
// least one and at most MaxTransports; the one of a node that ALIVE2_REQ registered has
// no name.
func AppendName3Line[T ~[]byte | ~string](b []byte, name T, of []Transport) []byte {
	b = append(b, nameLinePrefix...)
	b = append(b, name...)
	b = append(b, nameLineMiddle...)
	b = appendPortText(b, of)
	return append(b, '\n')
}

// Name adds the line of one registered node to the answer to a NAMES3_REQ.
func (l *Blocks) Name(name string, of []Transport) {
	line := len(l.b)
	l.b = AppendName3Line(l.b, name, of)
	l.cut(line)
}

// Name3Lines reads the lines of a block of an answer to NAMES3_REQ, the most
// recently registered node first. After a line that is none it yields one error,
// [FaultSyntax], and ends.
//
// The form of the list is ambiguous: names and transports may hold line breaks and
// blanks. A line is taken to end at the first place where transports, a line break
// and then another line or the end of the block follow.
func Name3Lines(lines []byte) iter.Seq2[Name3Line, error] {
	return func(yield func(Name3Line, error) bool) {
		for len(lines) > 0 {
			line, n := cutName3Line(lines)
			if n == 0 {
				yield(Name3Line{}, errNames3RespLine)
				return
			}
			if !yield(line, nil) {
				return
			}
			lines = lines[n:]
		}
	}
}

// cutName3Line reads the line at the start of b; n is 0 if there is none.
func cutName3Line(b []byte) (line Name3Line, n int) {
	if !bytes.HasPrefix(b, []byte(nameLinePrefix)) {
		return Name3Line{}, 0
	}
	for at := len(nameLinePrefix); ; at++ {
		i := bytes.Index(b[at:], []byte(nameLineMiddle))
		if i < 0 {
			return Name3Line{}, 0
		}
		at += i
		text := b[at+len(nameLineMiddle):]
		size := bytes.IndexByte(text, '\n')
		if size < 0 || !PortText(text[:size]).valid() {
			continue
		}
		end := at + len(nameLineMiddle) + size + 1
		if end == len(b) || bytes.HasPrefix(b[end:], []byte(nameLinePrefix)) {
			return Name3Line{b[len(nameLinePrefix):at:at], PortText(text[:size:size])}, end
		}
	}
}
