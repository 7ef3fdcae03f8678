package fuzz

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/goepmd/goepmd/conformance"
	"github.com/goepmd/goepmd/fuzz/differ"
	"github.com/goepmd/goepmd/wire"
)

const (
	// seedsOfEach is how many of the suite's conversations become seeds of a target.
	seedsOfEach = 40
	// seedsOfMulti is likewise of the multi-transport extension.
	seedsOfMulti = 24
	// seedBytes bounds a seed: long ones are slow to change.
	seedBytes = 700
)

// Seeds makes the files of the seed corpora, by their paths below testdata/fuzz: of
// the conformance suite's conversations, and of the edges of the protocol. They are always
// the same.
func Seeds() (map[string][]byte, error) {
	scenarios, err := conformance.Scenarios()
	if err != nil {
		return nil, err
	}
	s := seeder{files: make(map[string][]byte)}
	var plain, multi material
	for _, scenario := range scenarios {
		o, err := scenario.Daemon.Options()
		if err != nil || o.OneHolder || scenario.Daemon.TakenGrace > 0 {
			continue // it is about a program, or an option that the targets do not have
		}
		sc, err := scenario.Flat()
		if err != nil {
			return nil, err
		}
		of := &plain
		if scenario.Area == "multi" {
			of = &multi
		}
		if err := of.add(sc, o.Relaxed, scenario.Daemon.MultiTransport); err != nil {
			return nil, fmt.Errorf("scenario %s: %w", sc.Name, err)
		}
	}
	s.addMessages(plain, seedsOfEach)
	for _, b := range edgeFrames() {
		s.add("FuzzFrame", b)
	}
	for _, b := range edgeReplies() {
		s.add("FuzzReply", b)
	}
	for _, b := range edgeStates() {
		s.add("FuzzState", b)
	}
	s.addTalks(plain, seedsOfEach, true)
	return s.files, s.addMulti(multi)
}

// material is what scenarios have for seeds.
type material struct {
	bodies, replies [][]byte
	talks           []talk
}

// talk is a conversation with a daemon that runs in some way.
type talk struct {
	data           []byte
	relaxed, multi bool
}

// add collects what a scenario has.
func (m *material) add(sc conformance.Flat, relaxed, multi bool) error {
	if err := recorded(sc, &m.bodies, &m.replies); err != nil {
		return err
	}
	if data, ok := conversation(sc); ok {
		m.talks = append(m.talks, talk{data, relaxed, multi})
	}
	return nil
}

// addMessages makes seeds of at most n requests and as many replies.
func (s seeder) addMessages(m material, n int) {
	for _, b := range spread(distinct(m.bodies), n) {
		s.add("FuzzRequest", b)
		s.add("FuzzFrame", binary.BigEndian.AppendUint16(nil, uint16(len(b))), b)
	}
	for _, b := range spread(distinct(m.replies), n) {
		s.add("FuzzReply", b)
	}
}

// addTalks makes seeds of about n conversations, which OTP's epmd has part in if they
// are about what it speaks.
func (s seeder) addTalks(m material, n int, otp bool) {
	every := max(len(m.talks)/n, 1)
	for i := 0; i < len(m.talks); i += every {
		t := m.talks[i]
		s.put("FuzzServer", "[]byte(%q)\nbool(%v)\nbool(%v)\n", t.data, t.relaxed, t.multi)
		cuts := []byte{byte(i % 5), byte(i % 17), 0}
		s.put("FuzzSession", "[]byte(%q)\n[]byte(%q)\nbool(%v)\nbool(%v)\n", t.data, cuts, t.relaxed, t.multi)
		if otp {
			s.put("FuzzDifferential", "[]byte(%q)\nbool(%v)\n", t.data, t.relaxed)
		}
	}
}

type seeder struct{ files map[string][]byte }

func (s seeder) add(target string, parts ...[]byte) {
	s.put(target, "[]byte(%q)\n", bytes.Join(parts, nil))
}

// put makes a file in Go's format for corpora, numbered within its target.
func (s seeder) put(target, format string, values ...any) {
	text := "go test fuzz v1\n" + fmt.Sprintf(format, values...)
	for n := 1; ; n++ {
		path := fmt.Sprintf("%s/%s%02d", target, SeedPrefix, n)
		if old, taken := s.files[path]; !taken {
			s.files[path] = []byte(text)
			return
		} else if string(old) == text {
			return
		}
	}
}

// SeedPrefix begins the names of the files that Seeds makes. Those of others, such as
// what a fuzzer once found, begin with FoundPrefix.
const (
	SeedPrefix  = "seed-"
	FoundPrefix = "found-"
)

// recorded collects the bodies and the replies of a scenario.
func recorded(sc conformance.Flat, bodies, replies *[][]byte) error {
	for _, step := range sc.Steps {
		packet, err := hex.DecodeString(strings.Join(step.Send, ""))
		if err != nil {
			return err
		}
		if len(packet) > wire.HeaderLen {
			*bodies = append(*bodies, packet[wire.HeaderLen:])
		}
		b, err := hex.DecodeString(fill(step.Recv))
		if err != nil {
			return err
		}
		if len(b) > 0 {
			*replies = append(*replies, b)
		}
	}
	return nil
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// fill puts a value in the place of each placeholder of a pattern.
func fill(pattern string) string {
	filled := placeholder.ReplaceAllStringFunc(pattern, func(p string) string {
		switch {
		case p == lengthHole:
			return p
		case strings.HasPrefix(p, "{port}"):
			return "00001111"
		case strings.HasPrefix(p, "{creation2:"):
			return "0002"
		case strings.HasPrefix(p, "{fd}"):
			return "37"
		}
		return "6553f101"
	})
	if rest, begins := strings.CutPrefix(filled, lengthHole); begins {
		return fmt.Sprintf("%04x%s", len(rest)/2, rest)
	}
	return filled
}

// lengthHole is how a pattern begins that tells how long it is.
const lengthHole = "{length}"

// conversation writes a scenario as one that a target can play, if it is small enough.
func conversation(sc conformance.Flat) ([]byte, bool) {
	c, ok := differ.FromScenario(sc)
	if !ok {
		return nil, false
	}
	data, err := differ.Encode(c)
	return data, err == nil && len(data) > 0 && len(data) <= seedBytes
}

// distinct drops what is there already, or too long.
func distinct(all [][]byte) [][]byte {
	seen := make(map[string]bool)
	var out [][]byte
	for _, b := range all {
		if len(b) <= seedBytes && !seen[string(b)] {
			seen[string(b)] = true
			out = append(out, b)
		}
	}
	return out
}

// spread picks at most n, evenly.
func spread(all [][]byte, n int) [][]byte {
	if len(all) <= n {
		return all
	}
	out := make([][]byte, n)
	for i := range out {
		out[i] = all[i*len(all)/n]
	}
	return out
}

func edgeFrames() [][]byte {
	return [][]byte{
		{}, {0}, {0, 0}, {0, 0, 'n'}, {0, 1}, {0, 1, 'n', 'n'}, {0x0b, 0xf1}, {0x0b, 0xf1, 'x'}, {0x0b, 0xf2}, {0xff, 0xff, 'x'},
	}
}

func edgeReplies() [][]byte {
	node := wire.Node{Name: "é", Port: 65535, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5, Extra: "\x00\xff"}
	lines := wire.AppendNameLine(wire.AppendNameLine(nil, "a at port 1\nname b", 2), "\n", 0)
	dump := wire.AppendOldLine(wire.AppendActiveLine(nil, "a> at port 1, fd = 2", 3, 4), "b", 65535, 1<<63)
	return [][]byte{
		node.AppendPort2Resp(nil), {119, 1}, {119, 0}, {121, 1, 0, 99}, {118, 1, 0, 0, 0, 99}, {118, 0},
		[]byte("OK"), []byte("NO"), []byte("N"), []byte("STOPPED"), []byte("NOEXISTSTOPPED"), []byte("NOEXIST"),
		lines, dump, []byte("name a at port 65536\n"), []byte("name a at port 01\n"), []byte("old/unused name <>, port = 1, fd = 2\n\x00"),
	}
}
