package wire

import (
	"encoding/binary"
	"slices"
)

// alive2FixedLen is the length of the body of an ALIVE2_REQ without its name,
// extra field and tail.
const alive2FixedLen = 13

var (
	errAlive2Tag       = &Error{MessageAlive2Req, FieldTag, FaultTag}
	errAlive2Short     = &Error{MessageAlive2Req, FieldMessage, FaultShort}
	errAlive2NameLen   = &Error{MessageAlive2Req, FieldName, FaultShort}
	errAlive2ExtraLen  = &Error{MessageAlive2Req, FieldExtra, FaultShort}
	errAlive2NameNUL   = &Error{MessageAlive2Req, FieldName, FaultNUL}
	errAlive2NameEmpty = &Error{MessageAlive2Req, FieldName, FaultEmpty}
	errAlive2TooLong   = &Error{MessageAlive2Req, FieldMessage, FaultTooLong}

	errAlive2RespShort = &Error{MessageAlive2Resp, FieldMessage, FaultIncomplete}
	errAlive2RespTag   = &Error{MessageAlive2Resp, FieldTag, FaultTag}
)

// Alive2Req is an ALIVE2_REQ: a node asks to be registered for as long as the
// connection is open. Its slices borrow from what was parsed.
//
//	120 port:16 type:8 protocol:8 highest:16 lowest:16 nlen:16 name elen:16 extra
type Alive2Req struct {
	Port            uint16
	Type, Protocol  uint8
	Highest, Lowest uint16
	Name, Extra     []byte
	// Tail is what follows the extra field inside the packet. A daemon ignores
	// it, but for one thing: with it (or an extra field) an empty name is well
	// formed.
	Tail []byte
}

// ParseAlive2Req reads the body of an ALIVE2_REQ. It fails with [FaultTag], with
// [FaultShort] if the body has no more than its 13 fixed bytes or a length in it
// runs past its end, and with [FaultNUL] for a NUL in the name: all of these a
// daemon closes unanswered. What it refuses with an answer is
// the registry's business.
func ParseAlive2Req(body []byte) (Alive2Req, error) {
	if len(body) == 0 || Tag(body[0]) != TagAlive2Req {
		return Alive2Req{}, errAlive2Tag
	}
	if len(body) <= alive2FixedLen {
		return Alive2Req{}, errAlive2Short
	}
	nlen := int(binary.BigEndian.Uint16(body[9:]))
	if nlen+alive2FixedLen > len(body) {
		return Alive2Req{}, errAlive2NameLen
	}
	name, rest := body[11:11+nlen:11+nlen], body[11+nlen:]
	elen := int(binary.BigEndian.Uint16(rest))
	if nlen+elen+alive2FixedLen > len(body) {
		return Alive2Req{}, errAlive2ExtraLen
	}
	if hasNUL(name) {
		return Alive2Req{}, errAlive2NameNUL
	}
	return Alive2Req{
		Port:     binary.BigEndian.Uint16(body[1:]),
		Type:     body[3],
		Protocol: body[4],
		Highest:  binary.BigEndian.Uint16(body[5:]),
		Lowest:   binary.BigEndian.Uint16(body[7:]),
		Name:     name,
		Extra:    rest[2 : 2+elen : 2+elen],
		Tail:     slices.Clip(rest[2+elen:]),
	}, nil
}

// Node copies what the request tells about its node.
func (r Alive2Req) Node() Node {
	return Node{
		Name: string(r.Name), Port: r.Port, Type: r.Type, Protocol: r.Protocol,
		Highest: r.Highest, Lowest: r.Lowest, Extra: string(r.Extra),
	}
}

// Append appends the request as a packet. It appends nothing and fails if a
// daemon would close the connection for it: [FaultNUL] for a NUL in the name,
// [FaultEmpty] if name, extra field and tail are all empty, [FaultTooLong] if
// the packet would be longer than MaxPacketLen. What a daemon would refuse
// with an answer is written.
func (r Alive2Req) Append(b []byte) ([]byte, error) {
	b, err := appendAlive2Head(b, r.Name, r.Extra, len(r.Tail))
	if err != nil {
		return b, err
	}
	b = appendNode(b, r.Port, r.Type, r.Protocol, r.Highest, r.Lowest, r.Name, r.Extra)
	return append(b, r.Tail...), nil
}

// appendAlive2Head checks the parts of a request, and appends what comes before
// the node's fields.
func appendAlive2Head[T bytesOrString](b []byte, name, extra T, tail int) ([]byte, error) {
	n := alive2FixedLen + len(name) + len(extra) + tail
	switch {
	case hasNUL(name):
		return b, errAlive2NameNUL
	case n == alive2FixedLen:
		return b, errAlive2NameEmpty
	case n > MaxBodyLen:
		return b, errAlive2TooLong
	}
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	return append(b, byte(TagAlive2Req)), nil
}

// AppendAlive2Req appends the ALIVE2_REQ that registers the node, with the errors
// of [Alive2Req.Append].
func (n Node) AppendAlive2Req(b []byte) ([]byte, error) {
	b, err := appendAlive2Head(b, n.Name, n.Extra, 0)
	if err != nil {
		return b, err
	}
	return appendNode(b, n.Port, n.Type, n.Protocol, n.Highest, n.Lowest, n.Name, n.Extra), nil
}

// Alive2Resp is the answer to an ALIVE2_REQ, in both of its forms: ALIVE2_RESP,
// and ALIVE2_X_RESP for nodes with a highest version of at least
// Highest32BitCreation.
//
//	121 result:8 creation:16
//	118 result:8 creation:32
type Alive2Resp struct {
	// Extended says that this is an ALIVE2_X_RESP.
	Extended bool
	// Result is 0 if the node was registered, 1 if it was refused.
	Result uint8
	// Creation tells one life of a node from the next: 1 to 3 in an
	// ALIVE2_RESP, at least 4 in an ALIVE2_X_RESP, RefusedCreation if the node was
	// refused. Only its low 16 bits fit in an ALIVE2_RESP.
	Creation uint32
}

// The lengths of the two forms.
const (
	alive2RespLen  = 4
	alive2XRespLen = 6
)

// Append appends the reply.
func (r Alive2Resp) Append(b []byte) []byte {
	if r.Extended {
		b = append(b, byte(TagAlive2XResp), r.Result)
		return binary.BigEndian.AppendUint32(b, r.Creation)
	}
	b = append(b, byte(TagAlive2Resp), r.Result)
	return binary.BigEndian.AppendUint16(b, uint16(r.Creation))
}

// ParseAlive2Resp reads a reply of either form from the start of b and says how
// many bytes it takes up, 4 or 6. It fails with [FaultTag] or [FaultIncomplete].
func ParseAlive2Resp(b []byte) (r Alive2Resp, n int, err error) {
	if len(b) == 0 {
		return r, 0, errAlive2RespShort
	}
	switch Tag(b[0]) {
	case TagAlive2Resp:
		if len(b) < alive2RespLen {
			return r, 0, errAlive2RespShort
		}
		return Alive2Resp{Result: b[1], Creation: uint32(binary.BigEndian.Uint16(b[2:]))}, alive2RespLen, nil
	case TagAlive2XResp:
		if len(b) < alive2XRespLen {
			return r, 0, errAlive2RespShort
		}
		return Alive2Resp{Extended: true, Result: b[1], Creation: binary.BigEndian.Uint32(b[2:])}, alive2XRespLen, nil
	}
	return r, 0, errAlive2RespTag
}
