package wire

import (
	"bytes"
	"iter"
	"math"
	"slices"
	"strconv"
)

var (
	errDumpReqTag   = &Error{MessageDumpReq, FieldTag, FaultTag}
	errDumpRespLine = &Error{MessageDumpResp, FieldLine, FaultSyntax}
)

// DumpReq is a DUMP_REQ: somebody asks for the registered nodes and the names
// that are remembered from nodes gone by.
//
//	100
type DumpReq struct {
	// Tail is what follows the tag. A daemon ignores it.
	Tail []byte
}

// ParseDumpReq reads the body of a DUMP_REQ; it fails with [FaultTag] only.
func ParseDumpReq(body []byte) (DumpReq, error) {
	if len(body) == 0 || Tag(body[0]) != TagDumpReq {
		return DumpReq{}, errDumpReqTag
	}
	return DumpReq{Tail: slices.Clip(body[1:])}, nil
}

// Append appends the request as a packet. It fails with [FaultTooLong] only.
func (r DumpReq) Append(b []byte) ([]byte, error) {
	return appendTagged(b, TagDumpReq, r.Tail)
}

// DumpLine is one line of the answer to a DUMP_REQ, which begins as
// [AppendListPort] has it. Each line ends with a NUL byte; that of a
// remembered name has a blank before the line break.
//
//	active name     <NAME> at port PORT, fd = FD\n\0
//	old/unused name <NAME>, port = PORT, fd = FD \n\0
type DumpLine struct {
	// Active says that the node is registered, and not a remembered name.
	Active bool
	// Name borrows from what was parsed.
	Name []byte
	Port uint16
	// FD is a number of the daemon's own for the node's connection: OTP's epmd
	// writes the file descriptor.
	FD uint64
}

const (
	activePrefix = "active name     <"
	activeMiddle = "> at port "
	activeEnd    = "\n"
	oldPrefix    = "old/unused name <"
	oldMiddle    = ">, port = "
	oldEnd       = " \n"
	dumpFD       = ", fd = "
)

// DumpLineOverhead bounds what a line has besides its name, in bytes, as long as
// its FD has at most 16 digits.
const DumpLineOverhead = len(activePrefix) + len(activeMiddle) + len("65535") + len(dumpFD) + 16 + len(" \n\x00")

// AppendActiveLine appends the line of a registered node.
func AppendActiveLine[T ~[]byte | ~string](b []byte, name T, port uint16, fd uint64) []byte {
	return appendDumpLine(b, activePrefix, name, activeMiddle, port, fd, activeEnd)
}

// AppendOldLine appends the line of a remembered name. Port and fd are those
// of its last registration.
func AppendOldLine[T ~[]byte | ~string](b []byte, name T, port uint16, fd uint64) []byte {
	return appendDumpLine(b, oldPrefix, name, oldMiddle, port, fd, oldEnd)
}

func appendDumpLine[T ~[]byte | ~string](b []byte, prefix string, name T, middle string, port uint16, fd uint64, end string) []byte {
	b = append(b, prefix...)
	b = append(b, name...)
	b = append(b, middle...)
	b = strconv.AppendUint(b, uint64(port), 10)
	b = append(b, dumpFD...)
	b = strconv.AppendUint(b, fd, 10)
	b = append(b, end...)
	return append(b, 0)
}

// DumpLines reads the lines of an answer to DUMP_REQ: registered nodes, the most
// recent first, then remembered names, the oldest first. After a line that
// is none it yields one error, [FaultSyntax], and ends.
func DumpLines(lines []byte) iter.Seq2[DumpLine, error] {
	return func(yield func(DumpLine, error) bool) {
		for len(lines) > 0 {
			end := bytes.IndexByte(lines, 0)
			if end < 0 {
				yield(DumpLine{}, errDumpRespLine)
				return
			}
			line, ok := parseDumpLine(lines[:end:end])
			if !ok {
				yield(DumpLine{}, errDumpRespLine)
				return
			}
			if !yield(line, nil) {
				return
			}
			lines = lines[end+1:]
		}
	}
}

// parseDumpLine reads one line without its NUL. Names hold no NUL, but anything
// else: the parts around the name are found from both ends.
func parseDumpLine(b []byte) (DumpLine, bool) {
	active := bytes.HasPrefix(b, []byte(activePrefix))
	prefix, middle, end := oldPrefix, oldMiddle, oldEnd
	if active {
		prefix, middle, end = activePrefix, activeMiddle, activeEnd
	}
	if !bytes.HasPrefix(b, []byte(prefix)) || !bytes.HasSuffix(b, []byte(end)) {
		return DumpLine{}, false
	}
	b = b[len(prefix) : len(b)-len(end)]
	at := bytes.LastIndex(b, []byte(middle))
	if at < 0 {
		return DumpLine{}, false
	}
	name, numbers := b[:at:at], b[at+len(middle):]
	port, size, ok := cutNumber(numbers, math.MaxUint16)
	if !ok || !bytes.HasPrefix(numbers[size:], []byte(dumpFD)) {
		return DumpLine{}, false
	}
	numbers = numbers[size+len(dumpFD):]
	fd, size, ok := cutNumber(numbers, math.MaxUint64)
	if !ok || size != len(numbers) {
		return DumpLine{}, false
	}
	return DumpLine{Active: active, Name: name, Port: uint16(port), FD: fd}, true
}
