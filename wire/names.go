package wire

import (
	"bytes"
	"encoding/binary"
	"iter"
	"slices"
	"strconv"
)

var (
	errNamesReqTag    = &Error{MessageNamesReq, FieldTag, FaultTag}
	errNamesRespShort = &Error{MessageNamesResp, FieldPort, FaultIncomplete}
	errNamesRespLine  = &Error{MessageNamesResp, FieldLine, FaultSyntax}
)

// NamesReq is a NAMES_REQ: somebody asks for the list of registered nodes.
//
//	110
type NamesReq struct {
	// Tail is what follows the tag. A daemon ignores it.
	Tail []byte
}

// ParseNamesReq reads the body of a NAMES_REQ; it fails with [FaultTag] only.
func ParseNamesReq(body []byte) (NamesReq, error) {
	if len(body) == 0 || Tag(body[0]) != TagNamesReq {
		return NamesReq{}, errNamesReqTag
	}
	return NamesReq{Tail: slices.Clip(body[1:])}, nil
}

// Append appends the request as a packet. It fails with [FaultTooLong] only.
func (r NamesReq) Append(b []byte) ([]byte, error) {
	return appendTagged(b, TagNamesReq, r.Tail)
}

// AppendListPort appends the daemon's own port, 32 bits, with which the answers
// to NAMES_REQ and DUMP_REQ begin. Lines follow.
func AppendListPort(b []byte, port uint32) []byte {
	return binary.BigEndian.AppendUint32(b, port)
}

// ParseListPort reads the daemon's own port from the start of an answer to
// NAMES_REQ or DUMP_REQ, and gives the lines behind it. It fails with
// [FaultIncomplete]. The answer ends where the daemon closes the connection.
func ParseListPort(b []byte) (port uint32, lines []byte, err error) {
	if len(b) < 4 {
		return 0, nil, errNamesRespShort
	}
	return binary.BigEndian.Uint32(b), slices.Clip(b[4:]), nil
}

// NameLine is one line of the answer to a NAMES_REQ.
//
//	name NAME at port PORT\n
type NameLine struct {
	// Name borrows from what was parsed.
	Name []byte
	Port uint16
}

const (
	nameLinePrefix = "name "
	nameLineMiddle = " at port "
)

// NameLineOverhead bounds what a line has besides its name, in bytes.
const NameLineOverhead = len(nameLinePrefix) + len(nameLineMiddle) + len("65535") + len("\n")

// AppendNameLine appends the line of one registered node.
func AppendNameLine[T ~[]byte | ~string](b []byte, name T, port uint16) []byte {
	b = append(b, nameLinePrefix...)
	b = append(b, name...)
	b = append(b, nameLineMiddle...)
	b = strconv.AppendUint(b, uint64(port), 10)
	return append(b, '\n')
}

// NameLines reads the lines of an answer to NAMES_REQ, most recently
// registered node first. After a line that is none it yields one error,
// [FaultSyntax], and ends.
//
// The form of the list is ambiguous: EPMD lets a name hold line breaks and even
// whole lines. A line is taken to end at the first place where a port, a line
// break and then another line or the end of the list follow.
func NameLines(lines []byte) iter.Seq2[NameLine, error] {
	return func(yield func(NameLine, error) bool) {
		for len(lines) > 0 {
			line, n := cutNameLine(lines)
			if n == 0 {
				yield(NameLine{}, errNamesRespLine)
				return
			}
			if !yield(line, nil) {
				return
			}
			lines = lines[n:]
		}
	}
}

// cutNameLine reads the line at the start of b; n is 0 if there is none.
func cutNameLine(b []byte) (line NameLine, n int) {
	if !bytes.HasPrefix(b, []byte(nameLinePrefix)) {
		return NameLine{}, 0
	}
	for at := len(nameLinePrefix); ; at++ {
		i := bytes.Index(b[at:], []byte(nameLineMiddle))
		if i < 0 {
			return NameLine{}, 0
		}
		at += i
		digits := b[at+len(nameLineMiddle):]
		port, size, ok := cutNumber(digits, 1<<16-1)
		if !ok || size == len(digits) || digits[size] != '\n' {
			continue
		}
		end := at + len(nameLineMiddle) + size + 1
		if end == len(b) || bytes.HasPrefix(b[end:], []byte(nameLinePrefix)) {
			return NameLine{b[len(nameLinePrefix):at:at], uint16(port)}, end
		}
	}
}

// cutNumber reads the decimal number at the start of b, as strconv would write
// it, up to a highest value.
func cutNumber(b []byte, highest uint64) (v uint64, size int, ok bool) {
	for size < len(b) && '0' <= b[size] && b[size] <= '9' {
		d := uint64(b[size] - '0')
		if v > (highest-d)/10 || size > 0 && b[0] == '0' {
			return 0, 0, false
		}
		v = v*10 + d
		size++
	}
	return v, size, size > 0
}
