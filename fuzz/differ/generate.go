package differ

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
)

// prefixMark begins every prefix, and nothing else that is registered in a shared
// conversation.
const prefixMark = "~"

// MaxPrefixes is how many prefixes there are: so few that all their names
// together are fewer than a daemon remembers. Beyond that the records of old names
// are taken over, in an order that conversations side by side do not keep.
const MaxPrefixes = 40

// Prefix is one of MaxPrefixes prefixes of names.
func Prefix(i int) string { return fmt.Sprintf("%s%02d%s", prefixMark, i%MaxPrefixes, prefixMark) }

// Generate makes a half-valid conversation whose names begin with the prefix: most of
// it is what nodes send, and much of the rest is nearly so. The same source and
// prefix make the same conversation.
func Generate(r *rand.Rand, prefix string) Conversation {
	g := generator{r: r, prefix: prefix}
	for n := 1 + r.IntN(4); n > 0; n-- {
		g.add()
	}
	return Conversation{Steps: g.steps, Prefix: prefix}
}

// GenerateAlone makes a conversation that may name anything and end the daemon,
// longer and wilder than those of Generate.
func GenerateAlone(r *rand.Rand) Conversation {
	if r.IntN(3) == 0 {
		data := make([]byte, 20+r.IntN(200))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		return Decode(data)
	}
	g := generator{r: r, alone: true}
	for n := 2 + r.IntN(12); n > 0 && len(g.steps) < MaxSteps-4; n-- {
		g.add()
	}
	if r.IntN(200) == 0 {
		g.packet(g.slot(), []byte{'k'})
	}
	return Conversation{Steps: g.steps}
}

// asks is the connection on which questions are asked, the one that is closed after
// each; the others hold registrations.
const asks = MaxConns - 1

type generator struct {
	r      *rand.Rand
	prefix string
	alone  bool
	steps  []Step
}

func (g *generator) slot() int { return g.r.IntN(4) }

// add adds one thing that a client may do.
func (g *generator) add() {
	switch p := g.r.IntN(100); {
	case p < 34:
		g.packet(g.slot(), g.registration(g.name()))
	case p < 42:
		g.packet(g.slot(), g.badRegistration())
	case p < 62:
		g.packet(asks, append([]byte{'z'}, g.lookedUp()...))
	case p < 71:
		g.packet(asks, append([]byte{'n'}, g.tail()...))
	case p < 73:
		g.packet(asks, append([]byte{'d'}, g.tail()...))
	case p < 82:
		g.packet(asks, append(append([]byte{'s'}, g.name()...), g.tail()...))
	case p < 86:
		g.junk()
	case p < 88:
		// Bytes on what may be a kept connection.
		g.steps = append(g.steps, Step{Conn: g.slot(), Kind: Send, Bytes: []byte{0, 1, 'n'}[:1+g.r.IntN(3)]})
	case p < 90:
		g.steps = append(g.steps, Step{Conn: g.slot(), Kind: Open})
	default:
		g.steps = append(g.steps, Step{Conn: g.slot(), Kind: []Kind{HalfClose, Close, Reset}[g.r.IntN(3)]})
	}
}

// packet sends a body as a packet: mostly whole, now and then in pieces, with a byte
// too many, or with a length that lies.
func (g *generator) packet(conn int, body []byte) {
	b := frame(body)
	switch p := g.r.IntN(100); {
	case p < 4:
		b = append(b, make([]byte, 1+g.r.IntN(3))...)
	case p < 7 && len(body) > 0:
		binary.BigEndian.PutUint16(b, uint16(len(body)+g.r.IntN(3)-1))
	case p < 18:
		at := 1 + g.r.IntN(len(b)-1)
		g.send(conn, b[:at:at])
		b = b[at:]
	}
	g.send(conn, b)
	if g.r.IntN(25) == 0 {
		g.steps = append(g.steps, Step{Conn: conn, Kind: HalfClose})
	}
}

func (g *generator) send(conn int, b []byte) {
	g.steps = append(g.steps, Step{Conn: conn, Kind: Send, Bytes: b})
}

// junk sends what is no request.
func (g *generator) junk() {
	switch g.r.IntN(4) {
	case 0:
		g.send(g.slot(), []byte{0, 0})
	case 1:
		g.send(g.slot(), binary.BigEndian.AppendUint16(nil, uint16(3056+g.r.IntN(4))))
	case 2:
		tag := byte(g.r.Uint32())
		if tag == 'k' && !g.alone {
			tag++
		}
		g.send(g.slot(), frame([]byte{tag, byte(g.r.Uint32())}))
	default:
		g.send(g.slot(), []byte{0})
	}
}

func (g *generator) tail() []byte {
	if g.r.IntN(6) > 0 {
		return nil
	}
	return []byte("\x00tail")[:1+g.r.IntN(5)]
}

// registration is a well-formed ALIVE2_REQ.
func (g *generator) registration(name string) []byte {
	highest := uint16(6)
	if g.r.IntN(5) == 0 {
		highest = []uint16{0, 5, 7, 65535}[g.r.IntN(4)]
	}
	var extra []byte
	switch g.r.IntN(30) {
	case 0:
		extra = []byte("extra\x00\xff")
	case 1:
		extra = make([]byte, 1019+g.r.IntN(3))
	}
	return append(alive2(uint16(g.r.Uint32()), highest, []byte(name), extra), g.tail()...)
}

// badRegistration is an ALIVE2_REQ with something wrong, most of the time.
func (g *generator) badRegistration() []byte {
	name := g.prefix + []string{
		"nul\x00", "\x00", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff", "\x80",
		strings.Repeat("a", 256), strings.Repeat("é", 256), strings.Repeat("é", 510), strings.Repeat("é", 511), strings.Repeat("a", 1021),
	}[g.r.IntN(13)]
	if g.r.IntN(2) == 0 {
		return alive2(1, 6, []byte(name), nil)
	}
	b := alive2(1, 6, []byte(g.name()), nil)
	switch g.r.IntN(4) {
	case 0: // the name's length is off by a little; never so that a shorter name results
		binary.BigEndian.PutUint16(b[9:], uint16(len(b)-13+1+g.r.IntN(4)))
	case 1: // the extra field's length
		b[len(b)-1] += byte(1 + g.r.IntN(3))
	case 2: // it ends too early
		b = b[:g.r.IntN(len(b)-1)+1]
	case 3:
		binary.BigEndian.PutUint16(b[9:], 0xffff)
	}
	return b
}

// shared is what follows the prefix in names of shared conversations. They stay in
// the dumps for as long as the daemon lives: so they are few and short.
var shared = [...]string{"a", "a", "b", "b", "c", "", "é", "\U00010000", "x\ny"}

// suffixes are names of conversations that are alone.
var suffixes = [...]string{
	"", "a", "a", "a", "b", "b", "c", "A", "é", "\u07ff", "\u0800", "\uffff", "\U00010000", "\U0010ffff", "ab\ncd", "<x> at port 1",
}

// lengths are the lengths in characters of long names.
var lengths = [...]int{253, 254, 255}

// name is a name that can be registered, of a few, so that they meet again.
func (g *generator) name() string {
	if g.alone && g.r.IntN(6) == 0 {
		return []string{"", "x", "name y at port 1\n", "\n", " "}[g.r.IntN(5)]
	}
	if !g.alone {
		return g.prefix + shared[g.r.IntN(len(shared))]
	}
	if g.r.IntN(12) > 0 {
		return suffixes[g.r.IntN(len(suffixes))]
	}
	with := []string{"a", "é", "\U0010ffff"}[g.r.IntN(3)]
	return strings.Repeat(with, lengths[g.r.IntN(len(lengths))])
}

// lookedUp is a name to look up, with what old clients put behind it.
func (g *generator) lookedUp() string {
	name := g.name()
	switch g.r.IntN(12) {
	case 0:
		name += "\x00"
	case 1:
		name += "\x00\x00"
	case 2:
		name += "\xff"
	case 3:
		name = ""
	}
	return name
}
