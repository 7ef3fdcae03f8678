package wire

import (
	"encoding/binary"
	"slices"
)

// alive3FixedLen is the length of the body of an ALIVE3_REQ without its transport,
// name, extra field and tail.
const alive3FixedLen = 13

var (
	errAlive3Tag          = &Error{MessageAlive3Req, FieldTag, FaultTag}
	errAlive3Short        = &Error{MessageAlive3Req, FieldMessage, FaultShort}
	errAlive3TransportLen = &Error{MessageAlive3Req, FieldTransport, FaultShort}
	errAlive3Transport    = &Error{MessageAlive3Req, FieldTransport, FaultTooLong}
	errAlive3TransportNUL = &Error{MessageAlive3Req, FieldTransport, FaultNUL}
	errAlive3NameLen      = &Error{MessageAlive3Req, FieldName, FaultShort}
	errAlive3ExtraLen     = &Error{MessageAlive3Req, FieldExtra, FaultShort}
	errAlive3NameNUL      = &Error{MessageAlive3Req, FieldName, FaultNUL}
	errAlive3NameEmpty    = &Error{MessageAlive3Req, FieldName, FaultEmpty}
	errAlive3TooLong      = &Error{MessageAlive3Req, FieldMessage, FaultTooLong}

	errAlive3RespShort  = &Error{MessageAlive3Resp, FieldMessage, FaultIncomplete}
	errAlive3RespTag    = &Error{MessageAlive3Resp, FieldTag, FaultTag}
	errAlive3RespLength = &Error{MessageAlive3Resp, FieldLength, FaultSyntax}
)

// Alive3Req is an ALIVE3_REQ: a node asks to be registered with one transport, for
// as long as the connection is open. More may follow on the same connection. Its
// slices borrow from what was parsed.
//
//	88 port:16 type:8 tlen:8 transport highest:16 lowest:16 nlen:16 name elen:16 extra
type Alive3Req struct {
	Port            uint16
	Type            uint8
	Transport       []byte
	Highest, Lowest uint16
	Name, Extra     []byte
	// Tail is what follows the extra field inside the packet. A daemon ignores
	// it, but for one thing: with it (or a transport or an extra field) an empty
	// name is well formed.
	Tail []byte
}

// ParseAlive3Req reads the body of an ALIVE3_REQ. It fails with [FaultTag], with
// [FaultShort] if the body has no more than its 13 fixed bytes or a length in it
// runs past its end, with [FaultTooLong] for a transport of more than
// MaxTransportLen bytes, and with [FaultNUL] for a NUL in the name or the
// transport: all of these a daemon closes unanswered.
func ParseAlive3Req(body []byte) (Alive3Req, error) {
	if len(body) == 0 || Tag(body[0]) != TagAlive3Req {
		return Alive3Req{}, errAlive3Tag
	}
	if len(body) <= alive3FixedLen {
		return Alive3Req{}, errAlive3Short
	}
	tlen := int(body[4])
	switch {
	case tlen > MaxTransportLen:
		return Alive3Req{}, errAlive3Transport
	case tlen+alive3FixedLen > len(body):
		return Alive3Req{}, errAlive3TransportLen
	}
	transport, rest := body[5:5+tlen:5+tlen], body[5+tlen:]
	nlen := int(binary.BigEndian.Uint16(rest[4:]))
	if tlen+nlen+alive3FixedLen > len(body) {
		return Alive3Req{}, errAlive3NameLen
	}
	name, tail := rest[6:6+nlen:6+nlen], rest[6+nlen:]
	elen := int(binary.BigEndian.Uint16(tail))
	if tlen+nlen+elen+alive3FixedLen > len(body) {
		return Alive3Req{}, errAlive3ExtraLen
	}
	switch {
	case hasNUL(name):
		return Alive3Req{}, errAlive3NameNUL
	case hasNUL(transport):
		return Alive3Req{}, errAlive3TransportNUL
	}
	return Alive3Req{
		Port:      binary.BigEndian.Uint16(body[1:]),
		Type:      body[3],
		Transport: transport,
		Highest:   binary.BigEndian.Uint16(rest),
		Lowest:    binary.BigEndian.Uint16(rest[2:]),
		Name:      name,
		Extra:     tail[2 : 2+elen : 2+elen],
		Tail:      slices.Clip(tail[2+elen:]),
	}, nil
}

// Node copies what the request tells about its node.
func (r Alive3Req) Node() Node {
	return Node{
		Name: string(r.Name), Port: r.Port, Type: r.Type, Highest: r.Highest, Lowest: r.Lowest,
		Extra: string(r.Extra), Transport: string(r.Transport),
	}
}

// Append appends the request as a packet. It appends nothing and fails if a
// daemon would close the connection for it: [FaultNUL] for a NUL in the name or
// the transport, [FaultEmpty] if all that may be empty is, [FaultTooLong] if the
// transport is longer than MaxTransportLen or the packet than MaxPacketLen. What a
// daemon would refuse with an answer is written.
func (r Alive3Req) Append(b []byte) ([]byte, error) {
	b, err := appendAlive3(b, r.Port, r.Type, r.Highest, r.Lowest, r.Transport, r.Name, r.Extra, len(r.Tail))
	if err != nil {
		return b, err
	}
	return append(b, r.Tail...), nil
}

// AppendAlive3Req appends the ALIVE3_REQ that registers the node's transport, with
// the errors of [Alive3Req.Append]. It does not tell the protocol.
func (n Node) AppendAlive3Req(b []byte) ([]byte, error) {
	return appendAlive3(b, n.Port, n.Type, n.Highest, n.Lowest, n.Transport, n.Name, n.Extra, 0)
}

// appendAlive3 appends a request, for a tail that follows.
func appendAlive3[T bytesOrString](b []byte, port uint16, typ uint8, highest, lowest uint16, transport, name, extra T, tail int) ([]byte, error) {
	n := alive3FixedLen + len(transport) + len(name) + len(extra) + tail
	switch {
	case hasNUL(name):
		return b, errAlive3NameNUL
	case hasNUL(transport):
		return b, errAlive3TransportNUL
	case len(transport) > MaxTransportLen:
		return b, errAlive3Transport
	case n == alive3FixedLen:
		return b, errAlive3NameEmpty
	case n > MaxBodyLen:
		return b, errAlive3TooLong
	}
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	b = append(b, byte(TagAlive3Req))
	b = binary.BigEndian.AppendUint16(b, port)
	b = append(b, typ, byte(len(transport)))
	b = append(b, transport...)
	b = binary.BigEndian.AppendUint16(b, highest)
	b = binary.BigEndian.AppendUint16(b, lowest)
	b = binary.BigEndian.AppendUint16(b, uint16(len(name)))
	b = append(b, name...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(extra)))
	return append(b, extra...), nil
}

// Alive3Resp is the answer to an ALIVE3_REQ: that to an ALIVE2_REQ, in either of
// its forms, with its length in front.
//
//	length:16 121 result:8 creation:16
//	length:16 118 result:8 creation:32
type Alive3Resp Alive2Resp

// Append appends the reply.
func (r Alive3Resp) Append(b []byte) []byte {
	if r.Extended {
		b = append(b, 0, alive2XRespLen)
	} else {
		b = append(b, 0, alive2RespLen)
	}
	return Alive2Resp(r).Append(b)
}

// ParseAlive3Resp reads a reply of either form from the start of b and says how
// many bytes it takes up, 6 or 8. It fails with [FaultTag], [FaultSyntax] (a
// length that is not that of the form) or [FaultIncomplete].
func ParseAlive3Resp(b []byte) (r Alive3Resp, n int, err error) {
	if len(b) <= HeaderLen {
		return r, 0, errAlive3RespShort
	}
	length := int(binary.BigEndian.Uint16(b))
	switch Tag(b[HeaderLen]) {
	case TagAlive2Resp:
		n = alive2RespLen
	case TagAlive2XResp:
		n = alive2XRespLen
	default:
		return r, 0, errAlive3RespTag
	}
	if length != n {
		return r, 0, errAlive3RespLength
	}
	inner, _, err := ParseAlive2Resp(b[HeaderLen:])
	if err != nil { // its tag is one of the two
		return r, 0, errAlive3RespShort
	}
	return Alive3Resp(inner), HeaderLen + n, nil
}
