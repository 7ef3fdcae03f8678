package wire

import "slices"

var (
	errKill3ReqTag    = &Error{MessageKill3Req, FieldTag, FaultTag}
	errKill3RespShort = &Error{MessageKill3Resp, FieldText, FaultIncomplete}
	errKill3RespText  = &Error{MessageKill3Resp, FieldText, FaultSyntax}
)

// Kill3Req is a KILL3_REQ: somebody asks the daemon to end.
//
//	75
type Kill3Req struct {
	// Tail is what follows the tag. A daemon ignores it.
	Tail []byte
}

// ParseKill3Req reads the body of a KILL3_REQ; it fails with [FaultTag] only.
func ParseKill3Req(body []byte) (Kill3Req, error) {
	if len(body) == 0 || Tag(body[0]) != TagKill3Req {
		return Kill3Req{}, errKill3ReqTag
	}
	return Kill3Req{Tail: slices.Clip(body[1:])}, nil
}

// Append appends the request as a packet. It fails with [FaultTooLong] only.
func (r Kill3Req) Append(b []byte) ([]byte, error) {
	return appendTagged(b, TagKill3Req, r.Tail)
}

// The answers to a KILL3_REQ and a STOP3_REQ: a length, and text.
const (
	kill3OK      = "\x00\x02" + killOK
	kill3NO      = "\x00\x02" + killNO
	stop3Known   = "\x00\x07" + "STOPPED"
	stop3Unknown = "\x00\x07" + "NOEXIST"
)

// AppendKill3Resp appends the answer to a KILL3_REQ: whether the daemon ends.
func AppendKill3Resp(b []byte, ok bool) []byte {
	if ok {
		return append(b, kill3OK...)
	}
	return append(b, kill3NO...)
}

// ParseKill3Resp reads an answer from the start of b and says how many bytes it
// takes up. It fails with [FaultSyntax] or [FaultIncomplete].
func ParseKill3Resp(b []byte) (ok bool, n int, err error) {
	return parseEither(b, kill3OK, kill3NO, errKill3RespShort, errKill3RespText)
}

// parseEither reads one of two texts.
func parseEither(b []byte, yes, no string, short, bad error) (ok bool, n int, err error) {
	switch {
	case hasPrefix(b, yes):
		return true, len(yes), nil
	case hasPrefix(b, no):
		return false, len(no), nil
	case isPrefix(b, yes) || isPrefix(b, no):
		return false, 0, short
	}
	return false, 0, bad
}
