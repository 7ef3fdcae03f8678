package differ

import (
	"encoding/binary"
	"fmt"
	mathrand "math/rand"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"github.com/goepmd/goepmd/fuzz/model"
	"github.com/goepmd/goepmd/wire"
)

// prefixMark begins every prefix, and nothing else that is registered in a shared
// conversation.
const prefixMark = "~"

// MaxPrefixes is how many prefixes there are: so few that all their names
// together are fewer than a daemon remembers. Beyond that the records of old names
// are taken over, in an order that conversations side by side do not keep.
const MaxPrefixes = 32

// Prefix is one of MaxPrefixes prefixes of names.
func Prefix(i int) string { return fmt.Sprintf("%s%02d%s", prefixMark, i%MaxPrefixes, prefixMark) }

// Generate makes a half-valid conversation whose names begin with the prefix: most of
// it is what nodes send, and much of the rest is nearly so. The same source and
// prefix make the same conversation.
func Generate(r *rand.Rand, prefix string) Conversation {
	g := newGenerator(r, prefix)
	for n := 1 + r.IntN(6); n > 0; n-- {
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
	g := newGenerator(r, "")
	for n := 2 + r.IntN(12); n > 0 && len(g.steps) < MaxSteps-4; n-- {
		g.add()
	}
	if r.IntN(6) == 0 {
		g.packet(g.slot(), []byte{'k'})
	}
	return Conversation{Steps: g.steps}
}

// asks is the connection on which questions are asked, the one that is closed after
// each; the others hold registrations.
const asks = MaxConns - 1

type generator struct {
	r      *rand.Rand
	model  *mathrand.Rand // draws from r
	prefix string         // none for a conversation that is played alone
	used   []string       // names that were registered, or nearly
	steps  []Step
}

func newGenerator(r *rand.Rand, prefix string) *generator {
	return &generator{r: r, model: mathrand.New(source{r}), prefix: prefix}
}

// source has the model, whose random numbers are of the older kind, draw from ours.
type source struct{ *rand.Rand }

func (s source) Int63() int64 { return s.Int64() }
func (source) Seed(int64)     {}

func (g *generator) slot() int { return g.r.IntN(4) }

// add adds one thing that a client may do.
func (g *generator) add() {
	switch p := g.r.IntN(100); {
	case p < 34:
		g.request(g.slot(), 'x')
	case p < 42:
		g.packet(g.slot(), g.badRegistration())
	case p < 52:
		g.request(asks, 'z')
	case p < 62:
		g.packet(asks, append([]byte{'z'}, g.lookedUp()...))
	case p < 71:
		g.request(asks, 'n')
	case p < 73:
		g.request(asks, 'd')
	case p < 81:
		g.request(asks, 's')
	case p < 82 && g.prefix == "":
		g.packet(g.slot(), []byte(model.Body3(g.model)))
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

// request sends one of the model's requests, now and then as long as a packet can be,
// or a byte longer.
func (g *generator) request(conn int, tag byte) {
	name := g.name()
	switch {
	case tag == 'x':
		g.used = append(g.used, name)
	case len(g.used) > 0 && g.r.IntN(2) == 0:
		name = g.used[g.r.IntN(len(g.used))]
	}
	body := []byte(model.Request(g.model, tag, name))
	if longest := wire.MaxPacketLen - wire.HeaderLen; (tag == 'x' || tag == 'n') && g.r.IntN(40) == 0 {
		body = append(body, make([]byte, max(0, longest-1+g.r.IntN(3)-len(body)))...)
	}
	g.packet(conn, body)
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
		if tag == 'k' && g.prefix != "" {
			tag++
		}
		g.send(g.slot(), frame([]byte{tag, byte(g.r.Uint32())}))
	default:
		g.send(g.slot(), []byte{0})
	}
}

// bad are names that no daemon takes.
var bad = [...]string{"nul\x00", "\x00", "\xe2\x82", "\xff", "\x80", "\xc0\xaf"}

// badRegistration is an ALIVE2_REQ with something wrong, most of the time.
func (g *generator) badRegistration() []byte {
	if g.r.IntN(2) == 0 {
		return alive2(1, 6, []byte(g.prefix+bad[g.r.IntN(len(bad))]), nil)
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

// letters is how many of the model's shortest names are used: few, so that they meet again,
// and stay remembered.
const letters = 5

// name is one of the model's names. In a shared conversation it begins with the prefix,
// and a long one is shorter by that: the limits are for both together.
func (g *generator) name() string {
	if g.prefix == "" && g.r.IntN(12) == 0 {
		return ""
	}
	name := model.Name(g.model)
	if len(name) == 1 && 'a' <= name[0] && name[0] <= 'z' {
		name = string('a' + (name[0]-'a')%letters)
	}
	const long = 200
	if c, size := utf8.DecodeRuneInString(name); len(name) > long {
		name = strings.Repeat(string(c), len(name)/size-len(g.prefix))
	}
	return g.prefix + name
}

// lookedUp is a name to look up, with what some clients put behind it.
func (g *generator) lookedUp() string {
	name := g.name()
	switch g.r.IntN(8) {
	case 0:
		name += "\x00\x00"
	case 1:
		name += "\xff"
	case 2:
		name = ""
	}
	return name
}
