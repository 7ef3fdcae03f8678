package wire

import "encoding/binary"

var (
	errLengthSize   = &Error{MessagePacket, FieldLength, FaultSize}
	errLengthExcess = &Error{MessagePacket, FieldLength, FaultExcess}
	errBodyEmpty    = &Error{MessagePacket, FieldMessage, FaultEmpty}
	errBodyTooLong  = &Error{MessagePacket, FieldMessage, FaultTooLong}
	errTag          = &Error{MessagePacket, FieldTag, FaultTag}
)

// PacketLen tells the length in bytes of the request that b begins with, its
// length field included: from 3 to [MaxPacketLen]. It is 0, without an error,
// as long as b is too short to tell. A length that no request has is
// [FaultSize] as soon as its two bytes are there.
func PacketLen(b []byte) (n int, err error) {
	if len(b) < HeaderLen {
		return 0, nil
	}
	body := int(binary.BigEndian.Uint16(b))
	if body < MinBodyLen || body > MaxBodyLen {
		return 0, errLengthSize
	}
	return HeaderLen + body, nil
}

// FirstPacketLen is [PacketLen] for the read that makes the length known: b is
// all that has arrived. If that is more than the packet, the daemon closes
// unanswered, and so this is [FaultExcess]. (Bytes that arrive later are never
// read, and harm nobody.)
func FirstPacketLen(b []byte) (n int, err error) {
	n, err = PacketLen(b)
	if err == nil && n > 0 && len(b) > n {
		return 0, errLengthExcess
	}
	return n, err
}

// AppendPacket appends a request with the given body, tag included, right or
// wrong: a test program may want any. It fails with [FaultEmpty] or
// [FaultTooLong], and returns b as it was, if the body's length is outside
// MinBodyLen to MaxBodyLen.
func AppendPacket(b, body []byte) ([]byte, error) {
	if err := checkBodyLen(len(body)); err != nil {
		return b, err
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return append(b, body...), nil
}

func checkBodyLen(n int) error {
	switch {
	case n < MinBodyLen:
		return errBodyEmpty
	case n > MaxBodyLen:
		return errBodyTooLong
	}
	return nil
}

// BodyTag gives the tag of a request's body. An empty body is [FaultEmpty].
// Whether the tag is a known one is for the caller to see.
func BodyTag(body []byte) (Tag, error) {
	if len(body) == 0 {
		return 0, errBodyEmpty
	}
	return Tag(body[0]), nil
}

// ErrUnknownTag is the error, a [FaultTag], for a request with a tag that no
// request has. A daemon closes such a connection unanswered.
var ErrUnknownTag error = errTag

// appendTagged appends a packet of a tag and what follows it.
func appendTagged(b []byte, tag Tag, parts ...[]byte) ([]byte, error) {
	n := 1
	for _, p := range parts {
		n += len(p)
	}
	if err := checkBodyLen(n); err != nil {
		return b, err
	}
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	b = append(b, byte(tag))
	for _, p := range parts {
		b = append(b, p...)
	}
	return b, nil
}
