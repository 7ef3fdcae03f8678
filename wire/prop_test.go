package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/leanovate/gopter/prop"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/fuzz/model"
	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/wire"
)

// codec is one message both ways, as bytes and as what they mean.
type codec struct {
	name string
	// random makes a message that can be sent.
	random func(r *rand.Rand) any
	append func(b []byte, v any) ([]byte, error)
	// parse reads from the start of b and says how many bytes it took.
	parse func(b []byte) (v any, n int, err error)
	// more says that an error means that bytes are missing. Nil for what ends only
	// with the connection.
	more func(error) bool
	// words is what raw bytes are made of, besides random ones; most often they
	// begin with the first. request says that they are then made a packet.
	words   []string
	request bool
	// framed says that raw and changed bytes are put into a block.
	framed bool
	// loose says that some bytes mean nothing, so that what is accepted need not be
	// appended in the same way.
	loose bool
	// mutated and raw are how many of 100 such inputs must be accepted at least: of some 650
	// of either kind, so far below what is usual (five standard deviations) that chance does
	// not come there.
	mutated, raw int
}

var errMore = errors.New("the packet is not complete")

// request is the codec of a request.
func request[T interface {
	Append(b []byte) ([]byte, error)
}](tag wire.Tag, random func(*rand.Rand) T, parse func([]byte) (T, error), mutated, raw int, words ...string) codec {
	return codec{
		name:   tag.String(),
		random: func(r *rand.Rand) any { return random(r) },
		append: func(b []byte, v any) ([]byte, error) { return v.(T).Append(b) },
		parse: func(b []byte) (any, int, error) {
			n, err := wire.PacketLen(b)
			switch {
			case err != nil:
				return nil, 0, err
			case n == 0 || n > len(b):
				return nil, 0, errMore
			}
			v, err := parse(b[wire.HeaderLen:n])
			return v, n, err
		},
		more:    func(err error) bool { return errors.Is(err, errMore) },
		words:   append([]string{string(rune(tag))}, words...),
		request: true,
		mutated: mutated, raw: raw,
	}
}

// reply is the codec of a reply that tells itself where it ends.
func reply[T any](name string, random func(*rand.Rand) T, add func([]byte, T) []byte, parse func([]byte) (T, int, error), mutated, raw int, words ...string) codec {
	return codec{
		name:   name,
		random: func(r *rand.Rand) any { return random(r) },
		append: func(b []byte, v any) ([]byte, error) { return add(b, v.(T)), nil },
		parse:  func(b []byte) (any, int, error) { return parse(b) },
		more:   func(err error) bool { return errors.Is(err, wire.FaultIncomplete) },
		words:  words, mutated: mutated, raw: raw,
	}
}

// list is the answer to a NAMES_REQ or a DUMP_REQ.
type list[L any] struct {
	Port  uint32
	Lines []L
}

// listReply is the codec of such an answer.
func listReply[L any](name string, random func(*rand.Rand) L, add func([]byte, L) []byte, parse func([]byte) ([]L, error), mutated, raw int, words ...string) codec {
	return codec{
		name: name,
		random: func(r *rand.Rand) any {
			l := list[L]{Port: r.Uint32()}
			for range r.Intn(4) {
				l.Lines = append(l.Lines, random(r))
			}
			return l
		},
		append: func(b []byte, v any) ([]byte, error) {
			b = wire.AppendListPort(b, v.(list[L]).Port)
			for _, line := range v.(list[L]).Lines {
				b = add(b, line)
			}
			return b, nil
		},
		parse: func(b []byte) (any, int, error) {
			port, lines, err := wire.ParseListPort(b)
			if err != nil {
				return nil, 0, err
			}
			parsed, err := parse(lines)
			return list[L]{port, parsed}, len(b), err
		},
		words: append([]string{"\x00\x00\x11\x11"}, words...), mutated: mutated, raw: raw,
	}
}

// codecs are all messages.
func codecs() []codec {
	return append(codecs3(), []codec{
		request(wire.TagAlive2Req, randomAlive2Req, wire.ParseAlive2Req, 20, 2, "\x00", "\x00\x00", "\x00\x01", "\x02", "a"),
		request(wire.TagPortPlease2Req, randomPortPlease2Req, wire.ParsePortPlease2Req, 12, 8, "a", "é", "b", "c", "\x00"),
		request(wire.TagNamesReq, func(r *rand.Rand) wire.NamesReq { return wire.NamesReq{Tail: model.Bytes(r, 20)} }, wire.ParseNamesReq, 40, 60, "a"),
		request(wire.TagDumpReq, func(r *rand.Rand) wire.DumpReq { return wire.DumpReq{Tail: model.Bytes(r, 20)} }, wire.ParseDumpReq, 40, 60, "a"),
		request(wire.TagKillReq, func(r *rand.Rand) wire.KillReq { return wire.KillReq{Tail: model.Bytes(r, 20)} }, wire.ParseKillReq, 40, 60, "a"),
		request(wire.TagStopReq, randomStopReq, wire.ParseStopReq, 40, 60, "a", "\x00"),
		reply("ALIVE2_RESP", randomAlive2Resp, func(b []byte, v wire.Alive2Resp) []byte { return v.Append(b) }, wire.ParseAlive2Resp, 40, 30, "v", "y", "\x00", "\x01"),
		reply("PORT2_RESP", randomPort2Resp, func(b []byte, v wire.Port2Resp) []byte { return v.Append(b) }, wire.ParsePort2Resp, 20, 20, "w", "\x00", "\x00\x00", "\x00\x00\x00", "\x01"),
		reply("KILL_RESP", func(r *rand.Rand) bool { return r.Intn(2) == 0 }, wire.AppendKillResp, wire.ParseKillResp, 8, 60, "OK", "NO", "O"),
		reply("STOP_RESP", func(r *rand.Rand) bool { return r.Intn(2) == 0 }, wire.AppendStopResp, wire.ParseStopResp, 1, 60, "STOPPED", "NOEXIST", "NO"),
		listReply("NAMES_RESP", randomNameLine, func(b []byte, l wire.NameLine) []byte { return wire.AppendNameLine(b, l.Name, l.Port) },
			collect(wire.NameLines), 20, 5, "name a at port 5\n", "name b at port 0\n", "name c at port 05\n", "name ", " at port ", "0", "65535", "65536", "\n"),
		listReply("DUMP_RESP", randomDumpLine, appendDumpLine, collect(wire.DumpLines), 5, 5,
			"active name     <a> at port 5, fd = 7\n\x00", "old/unused name <a>, port = 5, fd = 7 \n\x00",
			"active name     <", "> at port ", "old/unused name <", ">, port = ", ", fd = ", "5", " \n\x00", "\n\x00"),
	}...)
}

func randomAlive2Req(r *rand.Rand) wire.Alive2Req {
	n := model.Node(r, model.Name(r))
	v := wire.Alive2Req{
		Port: n.Port, Type: n.Type, Protocol: n.Protocol, Highest: n.Highest, Lowest: n.Lowest,
		Name: []byte(n.Name), Extra: []byte(n.Extra), Tail: model.Bytes(r, 5),
	}
	if len(v.Name)+len(v.Extra)+len(v.Tail) == 0 {
		v.Tail = []byte{0}
	}
	return v
}

func randomPortPlease2Req(r *rand.Rand) wire.PortPlease2Req {
	name := model.Name(r)
	if chars, valid := model.Chars(name); !valid || chars < 1 || chars > 254 {
		name = "a" // the others cannot be asked for
	}
	return wire.PortPlease2Req{Name: []byte(name), Terminated: r.Intn(2) == 0}
}

func randomStopReq(r *rand.Rand) wire.StopReq {
	v := wire.StopReq{Name: []byte(model.Name(r))}
	if len(v.Name) == 0 || r.Intn(2) == 0 {
		v.Tail = append([]byte{0}, model.Bytes(r, 5)...)
	}
	return v
}

func randomAlive2Resp(r *rand.Rand) wire.Alive2Resp {
	if r.Intn(2) == 0 {
		return wire.Alive2Resp{Result: byte(r.Intn(3)), Creation: uint32(r.Intn(1 << 16))}
	}
	return wire.Alive2Resp{Extended: true, Result: byte(r.Intn(3)), Creation: r.Uint32()}
}

func randomPort2Resp(r *rand.Rand) wire.Port2Resp {
	if r.Intn(4) == 0 {
		return wire.Port2Resp{Result: 1 + byte(r.Intn(255))}
	}
	n := model.Node(r, model.Name(r))
	return wire.Port2Resp{
		Port: n.Port, Type: n.Type, Protocol: n.Protocol, Highest: n.Highest, Lowest: n.Lowest,
		Name: []byte(n.Name), Extra: []byte(n.Extra),
	}
}

// randomNameLine has any name but one that holds what looks like a line's end:
// the form of the list is ambiguous there.
func randomNameLine(r *rand.Rand) wire.NameLine {
	name := model.Name(r)
	if strings.Contains(name, " at port ") {
		name = strings.ReplaceAll(name, "\n", "")
	}
	return wire.NameLine{Name: []byte(name), Port: uint16(r.Intn(1 << 16))}
}

func randomDumpLine(r *rand.Rand) wire.DumpLine {
	return wire.DumpLine{Active: r.Intn(2) == 0, Name: []byte(model.Name(r)), Port: uint16(r.Intn(1 << 16)), FD: r.Uint64() >> r.Intn(64)}
}

func appendDumpLine(b []byte, l wire.DumpLine) []byte {
	if l.Active {
		return wire.AppendActiveLine(b, l.Name, l.Port, l.FD)
	}
	return wire.AppendOldLine(b, l.Name, l.Port, l.FD)
}

// collect reads all lines, or fails.
func collect[L any, S ~func(yield func(L, error) bool)](lines func([]byte) S) func([]byte) ([]L, error) {
	return func(b []byte) (all []L, err error) {
		for line, err := range lines(b) {
			if err != nil {
				return nil, err
			}
			all = append(all, line)
		}
		return all, nil
	}
}

// same compares messages; a nil slice and an empty one are the same.
func same(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() || a.Type() != b.Type() {
		return !a.IsValid() && !b.IsValid() // nothing was read
	}
	var size int
	part := reflect.Value.Field
	switch a.Kind() {
	case reflect.Slice:
		if a.Type().Elem().Kind() == reflect.Uint8 {
			return bytes.Equal(a.Bytes(), b.Bytes())
		}
		if a.Len() != b.Len() {
			return false
		}
		size, part = a.Len(), reflect.Value.Index
	case reflect.Struct:
		size = a.NumField()
	default:
		return a.Equal(b)
	}
	for i := range size {
		if !same(part(a, i), part(b, i)) {
			return false
		}
	}
	return true
}

// message is one to be sent. It is shown as it is sent.
type message struct {
	codec codec
	value any
}

func (m message) String() string {
	b, err := m.codec.append(nil, m.value)
	return fmt.Sprint(model.Short(b), err)
}

// sample is an input, and how it was made.
type sample struct {
	from  source
	bytes []byte
}

type source string

const (
	valid   source = "valid"
	mutated source = "mutated"
	raw     source = "raw"
)

func (s sample) String() string { return fmt.Sprintf("%s %s", s.from, model.Short(s.bytes)) }

// sample makes an input of any kind.
func (c codec) sample(r *rand.Rand) sample {
	switch r.Intn(3) {
	case 0:
		return sample{raw, c.rawBytes(r)}
	case 1:
		b := c.valid(r)
		if c.framed && r.Intn(4) > 0 {
			return sample{mutated, framedBytes(model.Mutate(r, b[min(len(b)-1, 7):]))}
		}
		if !c.request || r.Intn(4) == 0 {
			return sample{mutated, model.Mutate(r, b)}
		}
		return sample{mutated, packet(model.Mutate(r, b[wire.HeaderLen:]))}
	}
	return sample{valid, c.valid(r)}
}

func (c codec) valid(r *rand.Rand) []byte {
	b, err := c.append(nil, c.random(r))
	if err != nil {
		panic(err) // random makes what can be sent
	}
	return b
}

func (c codec) rawBytes(r *rand.Rand) []byte {
	var b []byte
	if r.Intn(8) > 0 {
		b = append(b, c.words[0]...)
	}
	most := 24
	if !c.request {
		most = 1 + r.Intn(most) // the longer, the less likely to be right
	}
	for range r.Intn(most) {
		if r.Intn(10) == 0 {
			b = append(b, byte(r.Intn(256)))
		} else {
			b = append(b, c.words[r.Intn(len(c.words))]...)
		}
	}
	switch {
	case c.framed:
		return framedBytes(b)
	case c.request:
		return packet(b)
	}
	return b
}

func packet(body []byte) []byte {
	return append([]byte{byte(len(body) >> 8), byte(len(body))}, body...)
}

const times = 1000

// TestPropRoundTrip: what is appended is read back, to the last byte.
func TestPropRoundTrip(t *testing.T) {
	for _, c := range codecs() {
		t.Run(c.name, func(t *testing.T) {
			property.Holds(t, times, 1, prop.ForAll(func(m message) string {
				b, err := c.append([]byte("before"), m.value)
				if err != nil {
					return err.Error()
				}
				b, ok := bytes.CutPrefix(b, []byte("before"))
				if !ok {
					return "what was there before has changed"
				}
				got, n, err := c.parse(b)
				switch {
				case err != nil:
					return err.Error()
				case n != len(b):
					return fmt.Sprintf("took %d of %d bytes", n, len(b))
				case !same(reflect.ValueOf(m.value), reflect.ValueOf(got)):
					return fmt.Sprintf("read as %+v", got)
				}
				return ""
			}, property.Gen(func(r *rand.Rand) message { return message{c, c.random(r)} })))
		})
	}
}

// TestPropAccepted: whatever is accepted means exactly the bytes that were taken.
func TestPropAccepted(t *testing.T) {
	for _, c := range codecs() {
		t.Run(c.name, func(t *testing.T) {
			made, accepted := make(map[source]int), make(map[source]int)
			property.Holds(t, 2*times, 1, prop.ForAll(func(s sample) string {
				made[s.from]++
				v, n, err := c.parse(s.bytes)
				if err != nil {
					return ""
				}
				accepted[s.from]++
				if n < 1 || n > len(s.bytes) {
					return fmt.Sprintf("took %d bytes", n)
				}
				b, err := c.append(nil, v)
				switch {
				case err != nil:
					return err.Error()
				case c.loose:
					again, _, err := c.parse(b)
					if err != nil || !same(reflect.ValueOf(v), reflect.ValueOf(again)) {
						return fmt.Sprintf("appended as %s, and read as %+v, %v", model.Short(b), again, err)
					}
				case !bytes.Equal(b, s.bytes[:n]):
					return fmt.Sprintf("appended as %s", model.Short(b))
				}
				return ""
			}, property.Gen(c.sample)))
			t.Logf("accepted %v of %v", accepted, made)
			require.Equal(t, made[valid], accepted[valid])
			require.GreaterOrEqual(t, 100*accepted[mutated], c.mutated*made[mutated], "mutated bytes are hardly ever accepted")
			require.GreaterOrEqual(t, 100*accepted[raw], c.raw*made[raw], "raw bytes are hardly ever accepted")
		})
	}
}

// TestPropPrefix: of a message that says where it ends, no beginning is
// accepted, and none is taken for a fault.
func TestPropPrefix(t *testing.T) {
	for _, c := range codecs() {
		if c.more == nil {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			property.Holds(t, times, 1, prop.ForAll(func(s sample) string {
				for end := range s.bytes {
					if _, _, err := c.parse(s.bytes[:end:end]); !c.more(err) {
						return fmt.Sprintf("the first %d bytes: %v", end, err)
					}
				}
				return ""
			}, property.Gen(func(r *rand.Rand) sample { return sample{valid, c.valid(r)} })))
		})
	}
}

// TestPropNothingBehind: what lies in memory behind the input is neither read nor
// written, not even by appending to what was returned.
func TestPropNothingBehind(t *testing.T) {
	for _, c := range codecs() {
		t.Run(c.name, func(t *testing.T) {
			property.Holds(t, times, 1, prop.ForAll(func(s sample) string {
				want, wantN, wantErr := c.parse(slices.Clip(s.bytes))
				for _, behind := range []string{strings.Repeat("\x00", 99), strings.Repeat("\xff", 99), string(s.bytes)} {
					memory := slices.Concat(s.bytes, []byte(behind))
					got, n, err := c.parse(memory[:len(s.bytes)])
					if !same(reflect.ValueOf(want), reflect.ValueOf(got)) || n != wantN || !errors.Is(err, wantErr) {
						return fmt.Sprintf("with %s behind it is %+v, %d, %v", model.Short(behind), got, n, err)
					}
					for _, b := range slicesIn(reflect.ValueOf(got)) {
						_ = append(b, "overwritten"...)
					}
					if string(memory) != string(s.bytes)+behind {
						return "appending to a returned slice has changed what is behind it"
					}
				}
				return ""
			}, property.Gen(c.sample)))
		})
	}
}

// slicesIn finds the byte slices in a message.
func slicesIn(v reflect.Value) (found [][]byte) {
	switch v.Kind() {
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return [][]byte{v.Bytes()}
		}
		for i := range v.Len() {
			found = append(found, slicesIn(v.Index(i))...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			found = append(found, slicesIn(v.Field(i))...)
		}
	}
	return found
}

// TestPropPacketLen: the two bytes of the length decide, once and for all, whatever
// comes later or lies behind.
func TestPropPacketLen(t *testing.T) {
	known, faulty, excess := 0, 0, 0
	property.Holds(t, times, 1, prop.ForAll(func(s sample) string {
		whole := fmt.Sprint(wire.PacketLen(s.bytes))
		for end := range len(s.bytes) + 1 {
			exact, more := slices.Clone(s.bytes[:end:end]), slices.Concat(s.bytes[:end], []byte("\xff\xff\x00\x01"))[:end]
			n, err := wire.PacketLen(exact)
			first, firstErr := wire.FirstPacketLen(exact)
			switch got := fmt.Sprint(n, " ", err); {
			case got != fmt.Sprint(wire.PacketLen(more)) || fmt.Sprint(first, " ", firstErr) != fmt.Sprint(wire.FirstPacketLen(more)):
				return fmt.Sprintf("the first %d bytes: what is behind counts", end)
			case end < 2 && (n != 0 || err != nil || first != 0 || firstErr != nil):
				return fmt.Sprintf("the first %d bytes: %d, %v", end, n, err)
			case end >= 2 && got != whole:
				return fmt.Sprintf("the first %d bytes: %s, and all: %s", end, got, whole)
			case err != nil && !errors.Is(firstErr, err), n > 0 && end <= n && (first != n || firstErr != nil):
				return fmt.Sprintf("the first %d bytes: %s, by the first read %d, %v", end, got, first, firstErr)
			case n > 0 && end > n && !errors.Is(firstErr, wire.FaultExcess):
				return fmt.Sprintf("the first %d bytes: excess is %v", end, firstErr)
			case n > 0 && end > n:
				excess++
			case n > 0:
				known++
			case err != nil:
				faulty++
			}
		}
		return ""
	}, property.Gen(func(r *rand.Rand) sample {
		b := model.Bytes(r, 20)
		if len(b) > 1 && r.Intn(4) > 0 {
			b[0] = byte(r.Intn(2)) * byte(r.Intn(16))
			b[1] = byte(r.Intn(24))
		}
		return sample{raw, b}
	})))
	for _, n := range []int{known, faulty, excess} {
		require.Greater(t, n, times/2)
	}
}
