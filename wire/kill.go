package wire

import "slices"

var (
	errKillReqTag    = &Error{MessageKillReq, FieldTag, FaultTag}
	errKillRespShort = &Error{MessageKillResp, FieldText, FaultIncomplete}
	errKillRespText  = &Error{MessageKillResp, FieldText, FaultSyntax}
)

// KillReq is a KILL_REQ: somebody asks the daemon to end.
//
//	107
type KillReq struct {
	// Tail is what follows the tag. A daemon ignores it.
	Tail []byte
}

// ParseKillReq reads the body of a KILL_REQ; it fails with [FaultTag] only.
func ParseKillReq(body []byte) (KillReq, error) {
	if len(body) == 0 || Tag(body[0]) != TagKillReq {
		return KillReq{}, errKillReqTag
	}
	return KillReq{Tail: slices.Clip(body[1:])}, nil
}

// Append appends the request as a packet. It fails with [FaultTooLong] only.
func (r KillReq) Append(b []byte) ([]byte, error) {
	return appendTagged(b, TagKillReq, r.Tail)
}

// The answers to a KILL_REQ.
const (
	killOK = "OK" // the daemon ends
	killNO = "NO" // it does not: nodes are registered
)

// AppendKillResp appends the answer to a KILL_REQ: whether the daemon ends.
func AppendKillResp(b []byte, ok bool) []byte {
	if ok {
		return append(b, killOK...)
	}
	return append(b, killNO...)
}

// ParseKillResp reads an answer from the start of b and says how many bytes it
// takes up. It fails with [FaultSyntax] or [FaultIncomplete].
func ParseKillResp(b []byte) (ok bool, n int, err error) {
	switch {
	case hasPrefix(b, killOK):
		return true, len(killOK), nil
	case hasPrefix(b, killNO):
		return false, len(killNO), nil
	case isPrefix(b, killOK) || isPrefix(b, killNO):
		return false, 0, errKillRespShort
	}
	return false, 0, errKillRespText
}

// hasPrefix says whether b begins with text, isPrefix whether b is its
// beginning.
func hasPrefix(b []byte, text string) bool {
	return len(b) >= len(text) && string(b[:len(text)]) == text
}

func isPrefix(b []byte, text string) bool {
	return len(b) <= len(text) && text[:len(b)] == string(b)
}
