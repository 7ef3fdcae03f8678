package session

import (
	"strconv"

	"github.com/goepmd/goepmd/wire"
)

// Right is what a peer must be allowed to do for its request to be answered.
type Right uint8

// The rights.
const (
	RightLookup   Right = iota // look a node up
	RightNames                 // list the registered nodes
	RightRegister              // register a node
	RightDump                  // list registered and remembered nodes
	RightKill                  // end the daemon
	RightStop                  // unregister a node by force

	rightNone // of what is no request
)

// RightOf is the right that a request needs. Nobody has the one of a tag that is no
// request's.
func RightOf(t wire.Tag) Right {
	switch t {
	case wire.TagPortPlease2Req, wire.TagPortPlease3Req:
		return RightLookup
	case wire.TagNamesReq, wire.TagNames3Req:
		return RightNames
	case wire.TagAlive2Req, wire.TagAlive3Req:
		return RightRegister
	case wire.TagDumpReq, wire.TagDump3Req:
		return RightDump
	case wire.TagKillReq, wire.TagKill3Req:
		return RightKill
	case wire.TagStopReq, wire.TagStop3Req:
		return RightStop
	}
	return rightNone
}

// String is the right as one lower-case word.
func (r Right) String() string {
	switch r {
	case RightLookup:
		return "lookup"
	case RightNames:
		return "names"
	case RightRegister:
		return "register"
	case RightDump:
		return "dump"
	case RightKill:
		return "kill"
	case RightStop:
		return "stop"
	}
	return "right " + strconv.Itoa(int(r))
}
