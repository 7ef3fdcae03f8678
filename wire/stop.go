package wire

import (
	"bytes"
	"slices"
)

var (
	errStopReqTag    = &Error{MessageStopReq, FieldTag, FaultTag}
	errStopReqEmpty  = &Error{MessageStopReq, FieldName, FaultEmpty}
	errStopReqNUL    = &Error{MessageStopReq, FieldName, FaultNUL}
	errStopRespShort = &Error{MessageStopResp, FieldText, FaultIncomplete}
	errStopRespText  = &Error{MessageStopResp, FieldText, FaultSyntax}
)

// StopReq is a STOP_REQ: somebody asks to unregister a node by force. A
// daemon that does not run with the relaxed check closes it unanswered.
//
//	115 name
type StopReq struct {
	// Name ends at the first NUL. It may be empty if Tail is not.
	Name []byte
	// Tail is the rest from the first NUL on. A daemon ignores it.
	Tail []byte
}

// ParseStopReq reads the body of a STOP_REQ. It fails with [FaultTag], and with
// [FaultEmpty] if nothing follows the tag.
func ParseStopReq(body []byte) (StopReq, error) {
	if len(body) == 0 || Tag(body[0]) != TagStopReq {
		return StopReq{}, errStopReqTag
	}
	rest := slices.Clip(body[1:])
	if len(rest) == 0 {
		return StopReq{}, errStopReqEmpty
	}
	end := bytes.IndexByte(rest, 0)
	if end < 0 {
		return StopReq{Name: rest}, nil
	}
	return StopReq{Name: rest[:end:end], Tail: rest[end:]}, nil
}

// Append appends the request as a packet. It appends nothing and fails with
// [FaultNUL] for a NUL in the name or a tail that does not begin with one,
// with [FaultEmpty] if both are empty, or with [FaultTooLong].
func (r StopReq) Append(b []byte) ([]byte, error) {
	switch {
	case hasNUL(r.Name) || len(r.Tail) > 0 && r.Tail[0] != 0:
		return b, errStopReqNUL
	case len(r.Name)+len(r.Tail) == 0:
		return b, errStopReqEmpty
	}
	return appendTagged(b, TagStopReq, r.Name, r.Tail)
}

// The answers to a STOP_REQ. STOPPED follows even where nothing was stopped.
const (
	stopKnown   = "STOPPED"
	stopUnknown = "NOEXIST" + "STOPPED"
)

// AppendStopResp appends the answer to a STOP_REQ: whether there was such a
// node.
func AppendStopResp(b []byte, known bool) []byte {
	if known {
		return append(b, stopKnown...)
	}
	return append(b, stopUnknown...)
}

// ParseStopResp reads an answer from the start of b and says how many bytes it
// takes up, 7 or 14. It fails with [FaultSyntax] or [FaultIncomplete].
func ParseStopResp(b []byte) (known bool, n int, err error) {
	switch {
	case hasPrefix(b, stopKnown):
		return true, len(stopKnown), nil
	case hasPrefix(b, stopUnknown):
		return false, len(stopUnknown), nil
	case isPrefix(b, stopKnown) || isPrefix(b, stopUnknown):
		return false, 0, errStopRespShort
	}
	return false, 0, errStopRespText
}
