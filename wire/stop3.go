package wire

import (
	"bytes"
	"slices"
)

var (
	errStop3ReqTag    = &Error{MessageStop3Req, FieldTag, FaultTag}
	errStop3ReqNUL    = &Error{MessageStop3Req, FieldName, FaultNUL}
	errStop3RespShort = &Error{MessageStop3Resp, FieldText, FaultIncomplete}
	errStop3RespText  = &Error{MessageStop3Resp, FieldText, FaultSyntax}
)

// Stop3Req is a STOP3_REQ: somebody asks to unregister a node by force, with all
// its transports. A daemon that does not run with the relaxed check closes it
// unanswered.
//
//	83 name
type Stop3Req struct {
	// Name ends at the first NUL.
	Name []byte
	// Tail is the rest from the first NUL on. A daemon ignores it. Without name
	// and tail the request names no node, not even the one of the empty name.
	Tail []byte
}

// ParseStop3Req reads the body of a STOP3_REQ; it fails with [FaultTag] only.
func ParseStop3Req(body []byte) (Stop3Req, error) {
	if len(body) == 0 || Tag(body[0]) != TagStop3Req {
		return Stop3Req{}, errStop3ReqTag
	}
	rest := slices.Clip(body[1:])
	end := bytes.IndexByte(rest, 0)
	if end < 0 {
		return Stop3Req{Name: rest}, nil
	}
	return Stop3Req{Name: rest[:end:end], Tail: rest[end:]}, nil
}

// Append appends the request as a packet. It appends nothing and fails with
// [FaultNUL] for a NUL in the name or a tail that does not begin with one, or with
// [FaultTooLong].
func (r Stop3Req) Append(b []byte) ([]byte, error) {
	if hasNUL(r.Name) || len(r.Tail) > 0 && r.Tail[0] != 0 {
		return b, errStop3ReqNUL
	}
	return appendTagged(b, TagStop3Req, r.Name, r.Tail)
}

// AppendStop3Resp appends the answer to a STOP3_REQ: whether there was such a node.
func AppendStop3Resp(b []byte, known bool) []byte {
	if known {
		return append(b, stop3Known...)
	}
	return append(b, stop3Unknown...)
}

// ParseStop3Resp reads an answer from the start of b and says how many bytes it
// takes up. It fails with [FaultSyntax] or [FaultIncomplete].
func ParseStop3Resp(b []byte) (known bool, n int, err error) {
	return parseEither(b, stop3Known, stop3Unknown, errStop3RespShort, errStop3RespText)
}
