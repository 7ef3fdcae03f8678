package wire

import "encoding/binary"

// Node is what a node tells about itself when it registers, and what a lookup
// answers. It owns its strings, and two of them compare with ==.
type Node struct {
	// Name is the part of the node's name before the @: at most MaxNameChars
	// characters of UTF-8 without NUL, in at most MaxNameBytes bytes.
	Name string
	// Port is the TCP port on which the node listens; 0 is taken as it is.
	Port uint16
	// Type is the node type, NodeTypeNormal for every node that OTP starts.
	Type uint8
	// Protocol is the carrier: ProtocolTCP is the only one in use.
	Protocol uint8
	// Highest and Lowest are the range of distribution protocol versions. Today's
	// nodes send 6 and 5.
	Highest, Lowest uint16
	// Extra is opaque to EPMD: at most MaxExtraBytes bytes of any value.
	Extra string
	// Transport is the one that Port is for, of a node with several: its
	// distribution module without "_dist", such as inet_tcp; at most
	// MaxTransportLen bytes without NUL. Only ALIVE3_REQ tells it.
	Transport string
}

// Values of [Node.Type] and [Node.Protocol]. EPMD itself takes any.
const (
	NodeTypeNormal = 77 // 'M': a node, hidden or not
	NodeTypeHidden = 72 // 'H': a C node
	ProtocolTCP    = 0  // TCP over IPv4 or IPv6
)

// bytesOrString lets one encoder serve views and nodes.
type bytesOrString interface{ ~[]byte | ~string }

func hasNUL[T bytesOrString](s T) bool {
	for i := range len(s) {
		if s[i] == 0 {
			return true
		}
	}
	return false
}

// appendNode appends the fields that ALIVE2_REQ and PORT2_RESP share.
func appendNode[T bytesOrString](b []byte, port uint16, typ, protocol uint8, highest, lowest uint16, name, extra T) []byte {
	b = binary.BigEndian.AppendUint16(b, port)
	b = append(b, typ, protocol)
	b = binary.BigEndian.AppendUint16(b, highest)
	b = binary.BigEndian.AppendUint16(b, lowest)
	b = binary.BigEndian.AppendUint16(b, uint16(len(name)))
	b = append(b, name...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(extra)))
	return append(b, extra...)
}
