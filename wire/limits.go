package wire

// Limits of the protocol, as every OTP from 23 to 29 keeps them.
const (
	// DefaultPort is the TCP port of EPMD, where nothing else is said.
	DefaultPort = 4369

	// HeaderLen is the length in bytes of the length field before a request.
	HeaderLen = 2

	// MinBodyLen and MaxBodyLen bound the body of a request, in bytes: the
	// number in its length field.
	MinBodyLen = 1
	MaxBodyLen = 3057

	// MaxPacketLen is the length in bytes of the longest request, length field
	// included. It is also the most that a daemon asks of one read.
	MaxPacketLen = HeaderLen + MaxBodyLen

	// MaxNameBytes and MaxNameChars bound a node's name on registration. A
	// name beyond either is refused with result 1.
	MaxNameBytes = 1020
	MaxNameChars = 255

	// MaxLookupChars bounds the name in a PORT_PLEASE2_REQ, in characters: one
	// fewer than can be registered. A longer name is closed unanswered, so a
	// node whose name has exactly 255 characters registers but is never found.
	MaxLookupChars = 254

	// MaxExtraBytes bounds a node's extra field on registration. A longer one
	// is refused with result 1.
	MaxExtraBytes = 1020

	// Highest32BitCreation is the lowest "highest version" of a node that is
	// answered by an ALIVE2_X_RESP, with a creation of 32 bits.
	Highest32BitCreation = 6

	// RefusedCreation is what the creation field holds in the reply to a
	// registration that was refused. It means nothing.
	RefusedCreation = 99

	// MaxTransportLen bounds the name of a transport, in bytes. A longer one is
	// closed unanswered.
	MaxTransportLen = 127

	// MaxTransports bounds the transports of a name, and of a PORT_PLEASE3_REQ.
	MaxTransports = 32

	// MaxBlockLen bounds a block of the answer to a NAMES3_REQ or DUMP3_REQ, in
	// bytes, its length field included.
	MaxBlockLen = 1 << 14
)
