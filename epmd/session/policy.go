package session

import (
	"net/netip"
	"strconv"

	"github.com/goepmd/goepmd/wire"
)

// Policy says which peers may make which requests. The zero value is the rule of OTP's
// epmd: anybody may look up and list, and only local peers (see [IsLocal]) may do
// anything else.
//
// The lists are networks whose peers have a right besides the local ones, who always
// have it: a list cannot lock this machine out. A network contains the addresses of its
// own family alone: those of IPv4 are matched in their own form, however the peer's
// address is written, so a network of mapped addresses (::ffff:0:0/96) contains nobody.
type Policy struct {
	// Lookup and Names may look up, and list the registered nodes. Nil is
	// anybody; a list that is not nil and empty is local peers alone.
	Lookup, Names []netip.Prefix
	// Register may register nodes, Stop may dump, kill, and stop. Nil and empty
	// are local peers alone.
	Register, Stop []netip.Prefix
	// Allow, if set, is asked for each request that the lists allow, those of
	// local peers too, before it is looked into, and for one that Daemon.HandleUnknown
	// may answer. No refuses it.
	Allow func(Peer, wire.Tag) bool
}

// networks are whose peers have a right besides the local ones, or everybody has it.
func (p *Policy) networks(r Right) (list []netip.Prefix, everybody bool) {
	switch r {
	case RightLookup:
		return p.Lookup, p.Lookup == nil
	case RightNames:
		return p.Names, p.Names == nil
	case RightRegister:
		return p.Register, false
	case RightDump, RightKill, RightStop:
		return p.Stop, false
	}
	return nil, false
}

// check says why a peer may not make a request; nil if it may.
func (p *Policy) check(peer Peer, t wire.Tag) error {
	r := RightOf(t)
	list, everybody := p.networks(r)
	switch {
	case r == rightNone:
		return wire.ErrUnknownTag // whoever asks
	case everybody || contains(list, peer) || IsLocal(peer):
	case len(list) == 0:
		return ErrNotLocal
	default:
		return ErrNotListed
	}
	return p.ask(peer, t)
}

// ask says why the program's own rule refuses a request; nil if it does not.
func (p *Policy) ask(peer Peer, t wire.Tag) error {
	if p.Allow != nil && !p.Allow(peer, t) {
		return ErrNotAllowed
	}
	return nil
}

// contains says whether a peer is in one of the networks.
func contains(list []netip.Prefix, peer Peer) bool {
	if len(list) == 0 {
		return false
	}
	remote := peer.Remote().Unmap().WithZone("")
	for _, n := range list {
		if n.Contains(remote) {
			return true
		}
	}
	return false
}

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
