package wire

import "strconv"

// Tag is the first byte of a message and says which message it is.
type Tag byte

// Tags of the requests, with the protocol's numbers.
const (
	TagAlive2Req      Tag = 120 // 'x', ALIVE2_REQ: register a node
	TagPortPlease2Req Tag = 122 // 'z', PORT_PLEASE2_REQ: look a node up
	TagNamesReq       Tag = 110 // 'n', NAMES_REQ: list the registered nodes
	TagDumpReq        Tag = 100 // 'd', DUMP_REQ: list registered and remembered nodes
	TagKillReq        Tag = 107 // 'k', KILL_REQ: end the daemon
	TagStopReq        Tag = 115 // 's', STOP_REQ: unregister a node by force
)

// Tags of the requests that are of the dialect [MultiTransport] alone.
const (
	TagAlive3Req      Tag = 88 // 'X', ALIVE3_REQ: register a transport of a node
	TagPortPlease3Req Tag = 90 // 'Z', PORT_PLEASE3_REQ: look up a node's transports
	TagNames3Req      Tag = 78 // 'N', NAMES3_REQ: list the registered nodes with their transports
	TagDump3Req       Tag = 68 // 'D', DUMP3_REQ: likewise, and the remembered names
	TagKill3Req       Tag = 75 // 'K', KILL3_REQ: end the daemon
	TagStop3Req       Tag = 83 // 'S', STOP3_REQ: unregister a node by force
)

// Tags of the replies that have one, with the protocol's numbers. The other
// replies begin with a port number or are plain text. Behind a length, they are
// those of ALIVE3_REQ and PORT_PLEASE3_REQ too.
const (
	TagAlive2Resp  Tag = 121 // 'y', ALIVE2_RESP: creation of 16 bits
	TagAlive2XResp Tag = 118 // 'v', ALIVE2_X_RESP: creation of 32 bits
	TagPort2Resp   Tag = 119 // 'w', PORT2_RESP
)

// String gives the protocol's own name of a tag, such as "ALIVE2_REQ", and
// "tag N" for any other byte.
func (t Tag) String() string {
	switch t {
	case TagAlive2Req:
		return "ALIVE2_REQ"
	case TagPortPlease2Req:
		return "PORT_PLEASE2_REQ"
	case TagNamesReq:
		return "NAMES_REQ"
	case TagDumpReq:
		return "DUMP_REQ"
	case TagKillReq:
		return "KILL_REQ"
	case TagStopReq:
		return "STOP_REQ"
	case TagAlive3Req:
		return "ALIVE3_REQ"
	case TagPortPlease3Req:
		return "PORT_PLEASE3_REQ"
	case TagNames3Req:
		return "NAMES3_REQ"
	case TagDump3Req:
		return "DUMP3_REQ"
	case TagKill3Req:
		return "KILL3_REQ"
	case TagStop3Req:
		return "STOP3_REQ"
	case TagAlive2Resp:
		return "ALIVE2_RESP"
	case TagAlive2XResp:
		return "ALIVE2_X_RESP"
	case TagPort2Resp:
		return "PORT2_RESP"
	}
	return "tag " + strconv.Itoa(int(t))
}
