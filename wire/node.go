package wire

import (
	"encoding/binary"
	"strconv"
)

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
	NodeTypeNormal = 77  // 'M': a node of OTP, hidden or not
	NodeTypeHidden = 72  // 'H': a hidden node, by the protocol's description; libraries of others use it
	NodeTypeC      = 104 // 'h': a C node of OTP's own library, erl_interface
	NodeTypeJava   = 110 // 'n': a node of OTP's library for Java, jinterface
	ProtocolTCP    = 0   // TCP over IPv4 or IPv6
)

// NodeTypeName is a node type in words: "node", "hidden node", "C node", "Java node", and
// "node of type 5" for one that no maker is known for.
func NodeTypeName(t uint8) string {
	switch t {
	case NodeTypeNormal:
		return "node"
	case NodeTypeHidden:
		return "hidden node"
	case NodeTypeC:
		return "C node"
	case NodeTypeJava:
		return "Java node"
	}
	return "node of type " + strconv.Itoa(int(t))
}

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
