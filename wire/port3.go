package wire

import (
	"encoding/binary"
	"slices"
)

var (
	errPort3ReqTag       = &Error{MessagePortPlease3Req, FieldTag, FaultTag}
	errPort3ReqShort     = &Error{MessagePortPlease3Req, FieldMessage, FaultShort}
	errPort3ReqName      = &Error{MessagePortPlease3Req, FieldName, FaultEmpty}
	errPort3ReqTransport = &Error{MessagePortPlease3Req, FieldTransport, FaultTooLong}
	errPort3ReqCount     = &Error{MessagePortPlease3Req, FieldTransports, FaultTooLong}
	errPort3ReqList      = &Error{MessagePortPlease3Req, FieldTransports, FaultShort}

	errPort3RespTag    = &Error{MessagePort3Resp, FieldTag, FaultTag}
	errPort3RespShort  = &Error{MessagePort3Resp, FieldMessage, FaultIncomplete}
	errPort3RespLength = &Error{MessagePort3Resp, FieldLength, FaultSyntax}
	errPort3RespList   = &Error{MessagePort3Resp, FieldTransports, FaultSyntax}
)

// PortPlease3Req is a PORT_PLEASE3_REQ: somebody asks where a node listens for one
// of several transports. Its slices borrow from what was parsed.
//
//	90 0:8 count:8 mlen:16 (len:8 transport)*count nlen:8 name
type PortPlease3Req struct {
	// Transports are those that the asking side can speak, at most
	// MaxTransports. None finds every node, and tells no port.
	Transports TransportList
	// Name is the node's. Its length byte is passed over: it ends with the
	// packet.
	Name []byte
	// Terminated says that a NUL followed the name.
	Terminated bool
}

// The bytes of the body up to the list, and of the name's length.
const (
	port3ReqHeadLen = 5
	port3ReqNlenLen = 1
)

// ParsePortPlease3Req reads the body of a PORT_PLEASE3_REQ; one NUL at its end is
// dropped. It fails with [FaultTag]; with [FaultShort] if the body is too short
// for its fixed bytes, [FaultTooLong] for a transport of more than MaxTransportLen
// bytes, [FaultEmpty] if no name is left: these a daemon closes unanswered. The
// errors about the list as a whole, [FieldTransports], it answers as if there were
// no such node: [FaultTooLong] for more than MaxTransports, and [FaultShort] for a
// list that is not what its count and its length say.
func ParsePortPlease3Req(body []byte) (PortPlease3Req, error) {
	if len(body) == 0 || Tag(body[0]) != TagPortPlease3Req {
		return PortPlease3Req{}, errPort3ReqTag
	}
	if len(body) < port3ReqHeadLen+port3ReqNlenLen {
		return PortPlease3Req{}, errPort3ReqShort
	}
	count, mlen := int(body[2]), int(binary.BigEndian.Uint16(body[3:]))
	switch {
	case count > MaxTransports:
		return PortPlease3Req{}, errPort3ReqCount
	case port3ReqHeadLen+mlen+port3ReqNlenLen > len(body):
		return PortPlease3Req{}, errPort3ReqList
	}
	end := port3ReqHeadLen + mlen
	list := TransportList(body[port3ReqHeadLen:end:end])
	if err := list.check(count); err != nil {
		return PortPlease3Req{}, err
	}
	r := PortPlease3Req{Transports: list, Name: slices.Clip(body[end+port3ReqNlenLen:])}
	if last := len(r.Name) - 1; last >= 0 && r.Name[last] == 0 {
		r.Name, r.Terminated = r.Name[:last:last], true
	}
	if len(r.Name) == 0 {
		return PortPlease3Req{}, errPort3ReqName
	}
	return r, nil
}

// check says whether the list is that many whole names of a length that is allowed,
// and nothing else.
func (l TransportList) check(count int) error {
	for name := range l.All() {
		if len(name) > MaxTransportLen {
			return errPort3ReqTransport
		}
		l = l[1+len(name):]
		count--
	}
	if len(l) > 0 || count != 0 {
		return errPort3ReqList
	}
	return nil
}

// Append appends the request as a packet. It appends nothing and fails, with the
// faults of [ParsePortPlease3Req], if the list is none or there is no name, and with
// [FaultTooLong] if the packet would be longer than MaxPacketLen.
func (r PortPlease3Req) Append(b []byte) ([]byte, error) {
	count := r.Transports.Len()
	switch err := r.Transports.check(count); {
	case count > MaxTransports:
		return b, errPort3ReqCount
	case err != nil:
		return b, err
	case len(r.Name) == 0:
		return b, errPort3ReqName
	}
	n := port3ReqHeadLen + len(r.Transports) + port3ReqNlenLen + len(r.Name)
	if r.Terminated {
		n++
	}
	if err := checkBodyLen(n); err != nil {
		return b, err
	}
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	b = append(b, byte(TagPortPlease3Req), 0, byte(count))
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Transports)))
	b = append(b, r.Transports...)
	b = append(b, byte(len(r.Name))) // of a long name only the low byte
	b = append(b, r.Name...)
	if r.Terminated {
		b = append(b, 0)
	}
	return b, nil
}

// Port3Resp is a PORT3_RESP, the answer to a PORT_PLEASE3_REQ. Its slices borrow
// from what was parsed. Only Result counts if it is not 0.
//
//	length:16 119 0 0:16 count:8 mlen:16 (port:16 len:8 transport)*count
//	          type:8 highest:16 lowest:16 nlen:16 name elen:16 extra
//	length:16 119 1
type Port3Resp struct {
	// Result is 0 if the node was found with a transport that was asked for,
	// else 1.
	Result uint8
	// Transports are the ones asked for that the node has, in the order of their
	// registration.
	Transports      PortList
	Type            uint8
	Highest, Lowest uint16
	Name, Extra     []byte
}

// The bytes of a found reply's body up to the list, and those behind it without
// name and extra field.
const (
	port3RespHeadLen = 7
	port3RespTailLen = 9
)

// AppendPort3Resp appends the PORT3_RESP that tells the node with some transports,
// at most MaxTransports.
func (n Node) AppendPort3Resp(b []byte, of []Transport) []byte {
	mlen := len(of) * portEntryLen
	for _, t := range of {
		mlen += len(t.Name)
	}
	b = appendPort3Head(b, len(of), mlen, len(n.Name)+len(n.Extra))
	b = appendPorts(b, of)
	return appendPort3Tail(b, n.Type, n.Highest, n.Lowest, n.Name, n.Extra)
}

// Append appends the reply: four bytes if Result is not 0.
func (r Port3Resp) Append(b []byte) []byte {
	if r.Result != 0 {
		return append(b, 0, 2, byte(TagPort2Resp), r.Result)
	}
	count := 0
	for range r.Transports.All() {
		count++
	}
	b = appendPort3Head(b, count, len(r.Transports), len(r.Name)+len(r.Extra))
	b = append(b, r.Transports...)
	return appendPort3Tail(b, r.Type, r.Highest, r.Lowest, r.Name, r.Extra)
}

func appendPort3Head(b []byte, count, mlen, texts int) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(port3RespHeadLen+mlen+port3RespTailLen+texts))
	b = append(b, byte(TagPort2Resp), 0, 0, 0, byte(count))
	return binary.BigEndian.AppendUint16(b, uint16(mlen))
}

func appendPort3Tail[T bytesOrString](b []byte, typ uint8, highest, lowest uint16, name, extra T) []byte {
	b = append(b, typ)
	b = binary.BigEndian.AppendUint16(b, highest)
	b = binary.BigEndian.AppendUint16(b, lowest)
	b = binary.BigEndian.AppendUint16(b, uint16(len(name)))
	b = append(b, name...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(extra)))
	return append(b, extra...)
}

// Node copies what the reply tells about the node, without a port or a transport:
// Transports has them.
func (r Port3Resp) Node() Node {
	return Node{
		Name: string(r.Name), Type: r.Type, Highest: r.Highest, Lowest: r.Lowest, Extra: string(r.Extra),
	}
}

// ParsePort3Resp reads a reply from the start of b and says how many bytes it takes
// up. It fails with [FaultTag], [FaultIncomplete], or [FaultSyntax] for lengths
// that do not fit each other.
func ParsePort3Resp(b []byte) (r Port3Resp, n int, err error) {
	if len(b) > HeaderLen && Tag(b[HeaderLen]) != TagPort2Resp {
		return r, 0, errPort3RespTag
	}
	if len(b) < HeaderLen {
		return r, 0, errPort3RespShort
	}
	length := int(binary.BigEndian.Uint16(b))
	n = HeaderLen + length
	switch {
	case length < 2:
		return r, 0, errPort3RespLength
	case len(b) < n:
		return r, 0, errPort3RespShort
	case b[HeaderLen+1] != 0 && length > 2:
		return r, 0, errPort3RespLength
	case b[HeaderLen+1] != 0:
		return Port3Resp{Result: b[HeaderLen+1]}, n, nil
	}
	body := b[HeaderLen:n:n]
	if len(body) < port3RespHeadLen+port3RespTailLen {
		return r, 0, errPort3RespLength
	}
	count, mlen := int(body[4]), int(binary.BigEndian.Uint16(body[5:]))
	if port3RespHeadLen+mlen+port3RespTailLen > len(body) {
		return r, 0, errPort3RespLength
	}
	end := port3RespHeadLen + mlen
	list, rest := PortList(body[port3RespHeadLen:end:end]), body[end:]
	nlen := int(binary.BigEndian.Uint16(rest[5:]))
	if port3RespTailLen+nlen > len(rest) {
		return r, 0, errPort3RespLength
	}
	elen := int(binary.BigEndian.Uint16(rest[7+nlen:]))
	switch {
	case port3RespTailLen+nlen+elen != len(rest):
		return r, 0, errPort3RespLength
	case !list.holds(count):
		return r, 0, errPort3RespList
	}
	return Port3Resp{
		Transports: list,
		Type:       rest[0],
		Highest:    binary.BigEndian.Uint16(rest[1:]),
		Lowest:     binary.BigEndian.Uint16(rest[3:]),
		Name:       rest[7 : 7+nlen : 7+nlen],
		Extra:      slices.Clip(rest[9+nlen:]),
	}, n, nil
}
