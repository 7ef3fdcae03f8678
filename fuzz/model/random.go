package model

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"

	"github.com/goepmd/goepmd/wire"
)

// Name is a random name: most often one of few, so that they meet, now and then
// one at a limit or beyond, or one that is hard to list. None holds a NUL.
func Name(r *rand.Rand) string {
	if r.Intn(5) > 0 {
		return string(rune('a' + r.Intn(16)))
	}
	return pick(r,
		"", "A",
		strings.Repeat("l", 254), strings.Repeat("l", 255), strings.Repeat("l", 256),
		strings.Repeat("é", 254), strings.Repeat("é", 255), strings.Repeat("é", 256),
		strings.Repeat("\U00010348", 255), strings.Repeat("\U00010348", 256), // 1020 and 1024 bytes
		strings.Repeat("l", 1020), strings.Repeat("l", 1021),
		"\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff",
		"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", // overlong
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff",
		"a\xc3", "a\xe2\x82", "a\xf0\x90\x8d", "\xc3a", // truncated
		"a\n", "a\nname b at port 5", "a at port 5", "a>, port = 5, fd = 6 \n", " ", "%s%n",
	)
}

// Node is a random node of a name.
func Node(r *rand.Rand, name string) wire.Node {
	return wire.Node{
		Name:     name,
		Port:     pick(r, 0, 1, 4369, 65535, uint16(r.Intn(1<<16))),
		Type:     pick(r, wire.NodeTypeNormal, wire.NodeTypeHidden, byte(r.Intn(256))),
		Protocol: pick(r, wire.ProtocolTCP, byte(r.Intn(256))),
		Highest:  pick(r, 6, 6, 6, 5, 5, 7, 0, uint16(r.Intn(1<<16))),
		Lowest:   pick(r, 5, 5, 5, uint16(r.Intn(1<<16))),
		Extra:    extra(r),
	}
}

// extra is most often none.
func extra(r *rand.Rand) string {
	switch r.Intn(16) {
	case 0:
		return "\x00\xff\n"
	case 1:
		return strings.Repeat("x", pick(r, 1019, 1020, 1021))
	case 2:
		return string(Bytes(r, 40))
	case 3:
		return string(Bytes(r, 1021))
	}
	return ""
}

// Body is the body of a random request, tag and all: well formed, but for names
// that are too long.
func Body(r *rand.Rand) string { return Request(r, pick(r, []byte("xxxxxzzsdn")...), Name(r)) }

// Request is likewise one with a tag of the standard protocol, about a name if it is about any.
func Request(r *rand.Rand, tag byte, name string) string {
	tail := pick(r, "", "", "", "\x00", "tail")
	switch tag {
	case 'x':
		return alive2Body(Node(r, name)) + tail
	case 'z':
		return "z" + name + pick(r, "", "\x00")
	case 's':
		return "s" + name + pick(r, "", "\x00tail")
	}
	return string(tag) + tail
}

// Transport is a random name of a transport: most often one of few.
func Transport(r *rand.Rand) string {
	if r.Intn(10) > 0 {
		return pick(r, "inet_tcp", "inet6_tcp", "inet_tls", "uds")
	}
	return pick(r, "", "a b", "a#b", "é", strings.Repeat("t", 127), strings.Repeat("t", 128))
}

// Body3 is Body for a daemon that speaks the multi-transport extension.
func Body3(r *rand.Rand) string {
	tail := pick(r, "", "", "", "\x00", "tail")
	switch name := Name(r); r.Intn(20) {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		return Alive3Body(r) + tail
	case 8, 9, 10:
		list := ""
		count := r.Intn(4)
		for range count {
			t := Transport(r)
			list += string([]byte{byte(len(t))}) + t
		}
		return "Z" + pick(r, "\x00", "\xff") + string([]byte{byte(count)}) + two(len(list)) + list + string([]byte{byte(len(name))}) + name + pick(r, "", "\x00")
	case 11:
		return "S" + name + pick(r, "", "\x00tail")
	case 12:
		return pick(r, "N", "D") + tail
	}
	return Body(r)
}

// Alive3Body is the body of a random ALIVE3_REQ.
func Alive3Body(r *rand.Rand) string {
	n := Node(r, Name(r))
	t := Transport(r)
	return "X" + two(int(n.Port)) + string([]byte{n.Type, byte(len(t))}) + t + two(int(n.Highest)) + two(int(n.Lowest)) +
		two(len(n.Name)) + n.Name + two(len(n.Extra)) + n.Extra
}

func alive2Body(n wire.Node) string {
	return "x" + two(int(n.Port)) + string([]byte{n.Type, n.Protocol}) + two(int(n.Highest)) + two(int(n.Lowest)) +
		two(len(n.Name)) + n.Name + two(len(n.Extra)) + n.Extra
}

// Short shows bytes in the report of a test: their beginning, if they are many.
func Short[T ~[]byte | ~string](b T) string {
	const most = 48
	if len(b) <= most {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%q... (%d bytes)", b[:most], len(b))
}

// Packet is the body as a packet.
func Packet(body string) string { return two(len(body)) + body }

// Mutate changes, inserts or removes a few bytes: a new slice of 1 byte or more.
func Mutate(r *rand.Rand, b []byte) []byte {
	b = slices.Clone(b)
	for range 1 + r.Intn(3) {
		at := r.Intn(len(b) + 1)
		switch c := pick(r, 0, 1, 'x', 's', 0xff, byte(r.Intn(256))); {
		case at == len(b) || r.Intn(4) == 0:
			b = slices.Insert(b, at, c)
		case len(b) > 1 && r.Intn(4) == 0:
			b = slices.Delete(b, at, at+1)
		default:
			b[at] = c
		}
	}
	return b
}

// Bytes is up to n random bytes.
func Bytes(r *rand.Rand, n int) []byte {
	b := make([]byte, r.Intn(n+1))
	for i := range b {
		b[i] = byte(r.Intn(256))
	}
	return b
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.Intn(len(of))] }
