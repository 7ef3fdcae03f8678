package wire

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

var (
	errPort2ReqTag   = &Error{MessagePortPlease2Req, FieldTag, FaultTag}
	errPort2ReqEmpty = &Error{MessagePortPlease2Req, FieldName, FaultEmpty}
	errPort2ReqNUL   = &Error{MessagePortPlease2Req, FieldName, FaultNUL}
	errPort2ReqUTF8  = &Error{MessagePortPlease2Req, FieldName, FaultUTF8}
	errPort2ReqLong  = &Error{MessagePortPlease2Req, FieldName, FaultTooLong}

	errPort2RespTag   = &Error{MessagePort2Resp, FieldTag, FaultTag}
	errPort2RespShort = &Error{MessagePort2Resp, FieldMessage, FaultIncomplete}
)

// PortPlease2Req is a PORT_PLEASE2_REQ: somebody asks where a node listens.
//
//	122 name
type PortPlease2Req struct {
	// Name borrows from what was parsed.
	Name []byte
	// Terminated says that a NUL followed the name, as old clients send it.
	Terminated bool
}

// ParsePortPlease2Req reads the body of a PORT_PLEASE2_REQ; one NUL at its end is
// dropped. It fails with [FaultTag], and with [FaultEmpty], [FaultNUL],
// [FaultUTF8] or [FaultTooLong] (more than MaxLookupChars characters) for the
// name: all of these a daemon closes unanswered.
func ParsePortPlease2Req(body []byte) (PortPlease2Req, error) {
	if len(body) == 0 || Tag(body[0]) != TagPortPlease2Req {
		return PortPlease2Req{}, errPort2ReqTag
	}
	r := PortPlease2Req{Name: slices.Clip(body[1:])}
	if last := len(r.Name) - 1; last >= 0 && r.Name[last] == 0 {
		r.Name, r.Terminated = r.Name[:last:last], true
	}
	if err := checkLookupName(r.Name); err != nil {
		return PortPlease2Req{}, err
	}
	return r, nil
}

func checkLookupName(name []byte) error {
	chars, valid := countChars(name)
	switch {
	case len(name) == 0:
		return errPort2ReqEmpty
	case hasNUL(name):
		return errPort2ReqNUL
	case !valid:
		return errPort2ReqUTF8
	case chars > MaxLookupChars:
		return errPort2ReqLong
	}
	return nil
}

// countChars counts characters of UTF-8. (utf8.RuneCount allocates for long ones.)
func countChars(b []byte) (n int, valid bool) {
	for ; len(b) > 0; n++ {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size <= 1 {
			return n, false
		}
		b = b[size:]
	}
	return n, true
}

// Append appends the request as a packet. It appends nothing and fails, with
// the faults of [ParsePortPlease2Req], if a daemon would not answer it.
func (r PortPlease2Req) Append(b []byte) ([]byte, error) {
	if err := checkLookupName(r.Name); err != nil {
		return b, err
	}
	var end []byte
	if r.Terminated {
		end = []byte{0}
	}
	return appendTagged(b, TagPortPlease2Req, r.Name, end)
}

// Port2Resp is a PORT2_RESP, the answer to a PORT_PLEASE2_REQ. Its slices borrow
// from what was parsed. Only Result counts if it is not 0.
//
//	119 0 port:16 type:8 protocol:8 highest:16 lowest:16 nlen:16 name elen:16 extra
//	119 1
type Port2Resp struct {
	// Result is 0 if the node was found, else 1.
	Result          uint8
	Port            uint16
	Type, Protocol  uint8
	Highest, Lowest uint16
	Name, Extra     []byte
}

// AppendPort2Resp appends the PORT2_RESP that tells the node. A name or extra field
// longer than 65535 bytes cannot be told, and does not come out of a daemon.
func (n Node) AppendPort2Resp(b []byte) []byte {
	b = append(b, byte(TagPort2Resp), 0)
	return appendNode(b, n.Port, n.Type, n.Protocol, n.Highest, n.Lowest, n.Name, n.Extra)
}

// Append appends the reply: two bytes if Result is not 0.
func (r Port2Resp) Append(b []byte) []byte {
	b = append(b, byte(TagPort2Resp), r.Result)
	if r.Result != 0 {
		return b
	}
	return appendNode(b, r.Port, r.Type, r.Protocol, r.Highest, r.Lowest, r.Name, r.Extra)
}

// Node copies what the reply tells about the node.
func (r Port2Resp) Node() Node {
	return Node{
		Name: string(r.Name), Port: r.Port, Type: r.Type, Protocol: r.Protocol,
		Highest: r.Highest, Lowest: r.Lowest, Extra: string(r.Extra),
	}
}

// ParsePort2Resp reads a reply from the start of b and says how many bytes it
// takes up. It fails with [FaultTag] or [FaultIncomplete].
func ParsePort2Resp(b []byte) (r Port2Resp, n int, err error) {
	if len(b) > 0 && Tag(b[0]) != TagPort2Resp {
		return r, 0, errPort2RespTag
	}
	if len(b) < 2 {
		return r, 0, errPort2RespShort
	}
	if b[1] != 0 {
		return Port2Resp{Result: b[1]}, 2, nil
	}
	const fixed = 14 // up to the extra field, without the name
	if len(b) < 12 {
		return r, 0, errPort2RespShort
	}
	nlen := int(binary.BigEndian.Uint16(b[10:]))
	if len(b) < fixed+nlen {
		return r, 0, errPort2RespShort
	}
	elen := int(binary.BigEndian.Uint16(b[12+nlen:]))
	n = fixed + nlen + elen
	if len(b) < n {
		return r, 0, errPort2RespShort
	}
	return Port2Resp{
		Port:     binary.BigEndian.Uint16(b[2:]),
		Type:     b[4],
		Protocol: b[5],
		Highest:  binary.BigEndian.Uint16(b[6:]),
		Lowest:   binary.BigEndian.Uint16(b[8:]),
		Name:     b[12 : 12+nlen : 12+nlen],
		Extra:    b[fixed+nlen : n : n],
	}, n, nil
}
