package host

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/goepmd/goepmd/fuzz/machine"
	"github.com/goepmd/goepmd/wire"
)

// script turns bytes, of a fuzzer or a random generator, into a conversation.
// Any bytes are one; where they run out, zeros follow.
type script struct {
	rest  []byte
	multi bool // the daemons take the multi-transport extension's requests too
}

func (s *script) done() bool { return len(s.rest) == 0 }

func (s *script) next() byte {
	if len(s.rest) == 0 {
		return 0
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return b
}

func (s *script) take(n int) []byte {
	n = min(n, len(s.rest))
	b := s.rest[:n]
	s.rest = s.rest[n:]
	return b
}

// pick chooses one of several.
func pick[T any](s *script, from ...T) T { return from[int(s.next())%len(from)] }

// options include times at which a counter of 32 bits wraps around, and ones
// that are refused.
func (s *script) options() machine.Options {
	flags := s.next()
	s.multi = flags&4 != 0
	return machine.Options{
		Relaxed:         flags&1 != 0,
		TimeoutRestarts: flags&2 != 0,
		MultiTransport:  s.multi,
		Port:            pick[uint16](s, 4369, 0, 65535),
		PacketTimeout:   pick[int32](s, 60_000, 0, 1, 1<<31-1, -1),
		Remember:        pick[int32](s, 0, 1, 2, -1, 1<<31-1, -1<<31),
		Now:             pick[int64](s, 1_700_000_000_000, 0, 1<<31*1000-500, 1<<32*1000-2500, machine.MaxTime, machine.MaxTime+1, -1),
	}
}

// conn is a connection among the first n, or one that does not exist.
func (s *script) conn(n machine.ConnID) machine.ConnID { return machine.ConnID(s.next()) % (n + 2) }

// span is how much time passes.
func (s *script) span() int64 {
	return pick[int64](s, 1, 0, 999, 30_000, 60_000, 1<<32, machine.MaxTime, 1<<63-1, -1)
}

// names are few, so that they meet; some are too long, or not UTF-8.
var names = []string{
	"a", "b", "c", "é", "", "\x00", "a\x00b", "\xff", "\u2028<&>\"\\",
	strings.Repeat("n", 254), strings.Repeat("n", 255), strings.Repeat("n", 256),
	strings.Repeat("\U0001f600", 255), strings.Repeat("\U0001f600", 256),
}

// tags are as often as they are of use: KILL_REQ ends the conversation.
var tags = slices.Concat(
	slices.Repeat([]wire.Tag{wire.TagAlive2Req}, 32),
	slices.Repeat([]wire.Tag{wire.TagPortPlease2Req, wire.TagNamesReq, wire.TagDumpReq}, 8),
	slices.Repeat([]wire.Tag{wire.TagStopReq}, 6),
	[]wire.Tag{wire.TagKillReq, 0},
)

// tags3 are those of a daemon with the multi-transport extension.
var tags3 = slices.Concat(
	tags,
	slices.Repeat([]wire.Tag{wire.TagAlive3Req}, 48),
	slices.Repeat([]wire.Tag{wire.TagPortPlease3Req, wire.TagNames3Req, wire.TagDump3Req}, 8),
	slices.Repeat([]wire.Tag{wire.TagStop3Req}, 6),
	[]wire.Tag{wire.TagKill3Req},
)

// transports are few; some are too long, not UTF-8, or hold a NUL.
var transports = []string{
	"inet_tcp", "inet_tls", "uds", "", "t", "a b", "\n", "\xff", "\x00",
	strings.Repeat("t", 127), strings.Repeat("t", 128), strings.Repeat("t", 255),
}

// packet is a request, most often a good one.
func (s *script) packet() []byte {
	known := tags
	if s.multi {
		known = tags3
	}
	tag := pick(s, known...)
	body := []byte{byte(tag)}
	switch tag {
	case wire.TagAlive2Req:
		body = s.register(body)
	case wire.TagAlive3Req:
		body = s.register3(body)
	case wire.TagPortPlease3Req:
		body = s.lookup3(body)
	case wire.TagPortPlease2Req, wire.TagStopReq, wire.TagStop3Req:
		body = append(body, pick(s, names...)...)
	}
	switch s.next() % 16 {
	case 1:
		body = append(body, 0)
	case 2:
		body = body[:len(body)/2]
	case 3:
		body = append(body, make([]byte, 3057)...)
	}
	length := len(body)
	switch s.next() % 16 {
	case 1:
		length++
	case 2:
		length--
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(length)), body...)
}

func (s *script) register(b []byte) []byte {
	name := pick(s, names...)
	b = binary.BigEndian.AppendUint16(b, pick[uint16](s, 1000, 0, 65535))
	b = append(b, wire.NodeTypeNormal, wire.ProtocolTCP)
	return s.registerTail(b, name)
}

func (s *script) register3(b []byte) []byte {
	name, transport := pick(s, names...), pick(s, transports...)
	b = binary.BigEndian.AppendUint16(b, pick[uint16](s, 1000, 0, 65535))
	b = append(b, wire.NodeTypeNormal, byte(len(transport)))
	return s.registerTail(append(b, transport...), name)
}

// registerTail is what both kinds of registration end with.
func (s *script) registerTail(b []byte, name string) []byte {
	b = binary.BigEndian.AppendUint16(b, pick[uint16](s, 6, 5, 0, 65535))
	b = binary.BigEndian.AppendUint16(b, 5)
	b = binary.BigEndian.AppendUint16(b, uint16(len(name)))
	b = append(b, name...)
	extra := pick(s, 0, 1, 1020, 1021)
	b = binary.BigEndian.AppendUint16(b, uint16(extra))
	return append(b, strings.Repeat("\xfe", extra)...)
}

// lookup3 is a list of up to three transports, of which the counts lie now and then.
func (s *script) lookup3(b []byte) []byte {
	count := int(s.next() % 4)
	var list []byte
	for range count {
		transport := pick(s, transports...)
		list = append(append(list, byte(len(transport))), transport...)
	}
	count += pick(s, 0, 0, 0, 0, 0, 0, 1, 30)
	b = append(b, 0, byte(count))
	b = binary.BigEndian.AppendUint16(b, uint16(len(list)+pick(s, 0, 0, 0, 0, 0, 0, 1, -1)))
	name := pick(s, names...)
	return append(append(append(b, list...), byte(len(name))), name...)
}
