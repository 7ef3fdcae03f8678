package wire

import (
	"bytes"
	"iter"
	"math"
	"slices"
	"strconv"
)

var (
	errDump3ReqTag   = &Error{MessageDump3Req, FieldTag, FaultTag}
	errDump3RespLine = &Error{MessageDump3Resp, FieldLine, FaultSyntax}
)

// Dump3Req is a DUMP3_REQ: somebody asks for the registered nodes with their
// transports, and the names that are remembered from nodes gone by. The answer is a
// list in [Blocks].
//
//	68
type Dump3Req struct {
	// Tail is what follows the tag. A daemon ignores it.
	Tail []byte
}

// ParseDump3Req reads the body of a DUMP3_REQ; it fails with [FaultTag] only.
func ParseDump3Req(body []byte) (Dump3Req, error) {
	if len(body) == 0 || Tag(body[0]) != TagDump3Req {
		return Dump3Req{}, errDump3ReqTag
	}
	return Dump3Req{Tail: slices.Clip(body[1:])}, nil
}

// Append appends the request as a packet. It fails with [FaultTooLong] only.
func (r Dump3Req) Append(b []byte) ([]byte, error) {
	return appendTagged(b, TagDump3Req, r.Tail)
}

// Dump3Line is one line of the answer to a DUMP3_REQ. Unlike those of a DUMP_REQ
// the two kinds have one form, and no NUL byte at their end.
//
//	active name     <NAME> at port PORT#TRANSPORT PORT#TRANSPORT, fd = FD\n
//	old/unused name <NAME> at port PORT#TRANSPORT PORT#TRANSPORT, fd = FD\n
type Dump3Line struct {
	// Active says that the node is registered, and not a remembered name.
	Active bool
	// Name borrows from what was parsed.
	Name []byte
	// Transports are those that the node has, or had when the last of them ended.
	Transports PortText
	// FD is a number of the daemon's own for the connection of the first of
	// them.
	FD uint64
}

// AppendActive3Line appends the line of a registered node, with transports as
// [AppendName3Line] has them.
func AppendActive3Line[T ~[]byte | ~string](b []byte, name T, of []Transport, fd uint64) []byte {
	return appendDump3Line(b, activePrefix, name, of, fd)
}

// AppendOld3Line appends the line of a remembered name.
func AppendOld3Line[T ~[]byte | ~string](b []byte, name T, of []Transport, fd uint64) []byte {
	return appendDump3Line(b, oldPrefix, name, of, fd)
}

func appendDump3Line[T ~[]byte | ~string](b []byte, prefix string, name T, of []Transport, fd uint64) []byte {
	b = append(b, prefix...)
	b = append(b, name...)
	b = append(b, activeMiddle...)
	b = appendPortText(b, of)
	b = append(b, dumpFD...)
	b = strconv.AppendUint(b, fd, 10)
	return append(b, '\n')
}

// Active adds the line of a registered node to the answer to a DUMP3_REQ.
func (l *Blocks) Active(name string, of []Transport, fd uint64) {
	line := len(l.b)
	l.b = AppendActive3Line(l.b, name, of, fd)
	l.cut(line)
}

// Old adds the line of a remembered name.
func (l *Blocks) Old(name string, of []Transport, fd uint64) {
	line := len(l.b)
	l.b = AppendOld3Line(l.b, name, of, fd)
	l.cut(line)
}

// Dump3Lines reads the lines of a block of an answer to DUMP3_REQ: registered nodes,
// the most recent first, then remembered names, the oldest first. After a line
// that is none it yields one error, [FaultSyntax], and ends. It takes an ambiguous
// list as [Name3Lines] does.
func Dump3Lines(lines []byte) iter.Seq2[Dump3Line, error] {
	return func(yield func(Dump3Line, error) bool) {
		for len(lines) > 0 {
			line, n := cutDump3Line(lines)
			if n == 0 {
				yield(Dump3Line{}, errDump3RespLine)
				return
			}
			if !yield(line, nil) {
				return
			}
			lines = lines[n:]
		}
	}
}

// dump3Prefix is how the line at the start of b begins; empty if there is none.
func dump3Prefix(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte(activePrefix)):
		return activePrefix
	case bytes.HasPrefix(b, []byte(oldPrefix)):
		return oldPrefix
	}
	return ""
}

// cutDump3Line reads the line at the start of b; n is 0 if there is none.
func cutDump3Line(b []byte) (line Dump3Line, n int) {
	prefix := dump3Prefix(b)
	if prefix == "" {
		return Dump3Line{}, 0
	}
	for at := len(prefix); ; at++ {
		i := bytes.Index(b[at:], []byte(activeMiddle))
		if i < 0 {
			return Dump3Line{}, 0
		}
		at += i
		text := b[at+len(activeMiddle):]
		size := bytes.IndexByte(text, '\n')
		if size < 0 {
			continue
		}
		end := at + len(activeMiddle) + size + 1
		if end < len(b) && dump3Prefix(b[end:]) == "" {
			continue
		}
		ports, fd, ok := parseDump3Numbers(text[:size:size])
		if ok {
			return Dump3Line{Active: prefix == activePrefix, Name: b[len(prefix):at:at], Transports: ports, FD: fd}, end
		}
	}
}

// parseDump3Numbers reads what stands behind the name.
func parseDump3Numbers(text []byte) (ports PortText, fd uint64, ok bool) {
	at := bytes.LastIndex(text, []byte(dumpFD))
	if at < 0 || !PortText(text[:at]).valid() {
		return nil, 0, false
	}
	digits := text[at+len(dumpFD):]
	fd, size, ok := cutNumber(digits, math.MaxUint64)
	return PortText(text[:at:at]), fd, ok && size == len(digits)
}
