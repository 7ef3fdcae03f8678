package conformance

import (
	"encoding/binary"
	"fmt"
	"maps"
	"strconv"
	"time"
)

// Bytes is what is sent, or expected, in parts.
type Bytes []Part

// Part is some bytes that belong together.
type Part struct {
	// Field is the protocol's name for them, if they have one: "nlen".
	Field string `json:"field,omitempty"`
	// Bytes are the bytes, unless there is a Hole.
	Bytes []byte `json:"bytes,omitempty"`
	// Hole stands for bytes that are not known before; empty is none.
	Hole Hole `json:"hole,omitzero"`
}

// Hole stands for bytes that are each daemon's own.
type Hole struct {
	Kind HoleKind `json:"kind,omitempty"`
	// Name of a creation, and what is added to it.
	Name string `json:"name,omitempty"`
	Plus uint32 `json:"plus,omitempty"`
}

// HoleKind is what a hole stands for.
type HoleKind string

// The kinds of holes.
const (
	// Creation4 is a creation of 4 bytes. Where its name stands first it is bound;
	// from then on it must be so much more as the hole says.
	Creation4 HoleKind = "creation"
	// Creation2 is a creation of 2 bytes, from 1 to 3: the same counter modulo 3, plus
	// 1. If its name was bound by 4 bytes it is known; else only the difference of two is.
	Creation2 HoleKind = "creation2"
	// FirstCreation is the creation of a name that was never seen: the time in
	// seconds plus one. It is bound as a Creation4 is.
	FirstCreation HoleKind = "first"
	// OwnPort is the daemon's own port in 4 bytes, PortText in decimal digits.
	OwnPort  HoleKind = "port"
	PortText HoleKind = "port-text"
	// Digits is a number of the daemon's own: a file descriptor.
	Digits HoleKind = "fd"
	// Length is 2 bytes that tell how many follow until the end.
	Length HoleKind = "length"
	// Rest is whatever comes until the end.
	Rest HoleKind = "anything"
)

// String is the hole as it is written in scenarios.
func (h Hole) String() string {
	s := "{" + string(h.Kind)
	if h.Name != "" {
		s += ":" + h.Name
	}
	if h.Plus != 0 {
		s += "+" + strconv.FormatUint(uint64(h.Plus), 10)
	}
	return s + "}"
}

// Len is how many bytes a hole stands for; -1 if it depends.
func (h Hole) Len() int {
	switch h.Kind {
	case Creation4, FirstCreation, OwnPort:
		return 4
	case Creation2, Length:
		return 2
	}
	return -1
}

// literal is the bytes of a pattern without holes.
func (b Bytes) literal() ([]byte, error) {
	var out []byte
	for _, p := range b {
		if p.Hole.Kind != "" {
			return nil, fmt.Errorf("%v can only be expected", p.Hole)
		}
		out = append(out, p.Bytes...)
	}
	return out, nil
}

// bindings are the values of creations, which are kept from step to step.
type bindings struct {
	port   uint16
	begun  time.Time
	wide   map[string]uint32
	narrow map[string]uint32
}

func newBindings(port uint16) *bindings {
	return &bindings{port: port, begun: time.Now(), wide: make(map[string]uint32), narrow: make(map[string]uint32)}
}

// mismatch is where bytes differ from a pattern.
type mismatch struct {
	at   int
	what string
	// early says that it fits as far as it goes.
	early bool
}

// match compares; nil if they are alike. Names are bound only then.
func (v *bindings) match(want Bytes, got []byte) *mismatch {
	bound := newBindings(v.port)
	at := 0
	for _, p := range want {
		n, m := v.part(bound, p, got[at:])
		if m != nil {
			m.at += at
			if p.Field != "" {
				m.what = p.Field + ": " + m.what
			}
			return m
		}
		at += n
	}
	if at < len(got) {
		return &mismatch{at: at, what: fmt.Sprintf("%d bytes too many", len(got)-at)}
	}
	maps.Copy(v.wide, bound.wide)
	maps.Copy(v.narrow, bound.narrow)
	return nil
}

// clockTick is how far a daemon's clock may be behind: some read one that goes by
// ticks.
const clockTick = 20 * time.Millisecond

// recent says that a creation is the time since the scenario began, plus one. Daemons that
// are started for a scenario have the suite's clock.
func (v *bindings) recent(n uint32) bool {
	return int64(n) >= v.begun.Add(-clockTick).Unix()+1 && int64(n) <= time.Now().Unix()+1
}

// part compares one part and says how many bytes it took.
func (v *bindings) part(bound *bindings, p Part, got []byte) (int, *mismatch) {
	switch p.Hole.Kind {
	case "":
		for i, b := range p.Bytes {
			if i == len(got) {
				return 0, &mismatch{at: i, what: fmt.Sprintf("%d bytes too few", len(p.Bytes)-i), early: true}
			}
			if got[i] != b {
				return 0, &mismatch{at: i, what: fmt.Sprintf("%02x instead of %02x", got[i], b)}
			}
		}
		return len(p.Bytes), nil
	case Rest:
		return len(got), nil
	case Digits:
		n := digits(got)
		if n == 0 {
			return 0, &mismatch{what: "no number", early: len(got) == 0}
		}
		return n, nil
	case PortText:
		want := strconv.Itoa(int(v.port))
		return v.part(bound, Part{Bytes: []byte(want)}, got)
	case OwnPort:
		return v.part(bound, Part{Bytes: binary.BigEndian.AppendUint32(nil, uint32(v.port))}, got)
	case Length:
		if len(got) < 2 {
			return 0, &mismatch{at: len(got), what: "too few bytes for a length", early: true}
		}
		if n := int(binary.BigEndian.Uint16(got)); n != len(got)-2 {
			return 0, &mismatch{what: fmt.Sprintf("a length of %d before %d bytes", n, len(got)-2), early: n > len(got)-2}
		}
		return 2, nil
	case Creation4, FirstCreation:
		if len(got) < 4 {
			return 0, &mismatch{at: len(got), what: "too few bytes for a creation", early: true}
		}
		n := binary.BigEndian.Uint32(got)
		if p.Hole.Kind == FirstCreation && !v.recent(n) {
			return 0, &mismatch{what: fmt.Sprintf("creation %d is not the time", n)}
		}
		return 4, bind(v.wide, bound.wide, p.Hole, n, func(x, n uint32) uint32 { return x + n })
	case Creation2:
		if len(got) < 2 {
			return 0, &mismatch{at: len(got), what: "too few bytes for a creation", early: true}
		}
		n := binary.BigEndian.Uint16(got)
		if n < 1 || n > 3 {
			return 0, &mismatch{what: fmt.Sprintf("creation %d is not 1, 2 or 3", n)}
		}
		if wide, known := v.wide[p.Hole.Name]; known {
			if want := (wide+p.Hole.Plus)%3 + 1; uint32(n) != want {
				return 0, &mismatch{what: fmt.Sprintf("creation %d instead of %d", n, want)}
			}
			return 2, nil
		}
		return 2, bind(v.narrow, bound.narrow, p.Hole, uint32(n), func(x, n uint32) uint32 { return (x-1+n)%3 + 1 })
	}
	return 0, &mismatch{what: fmt.Sprintf("unknown hole %v", p.Hole)}
}

// bind binds the name of a creation, or compares with what it is bound to.
func bind(known, fresh map[string]uint32, h Hole, got uint32, add func(x, n uint32) uint32) *mismatch {
	x, ok := known[h.Name]
	if !ok {
		x, ok = fresh[h.Name]
	}
	if !ok {
		if h.Plus != 0 {
			return &mismatch{what: fmt.Sprintf("creation %s is not known yet", h.Name)}
		}
		fresh[h.Name] = got
		return nil
	}
	if want := add(x, h.Plus); got != want {
		return &mismatch{what: fmt.Sprintf("creation %d instead of %d", got, want)}
	}
	return nil
}

func digits(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}

// clone is bindings that can be changed without changing these.
func (v *bindings) clone() *bindings {
	return &bindings{v.port, v.begun, maps.Clone(v.wide), maps.Clone(v.narrow)}
}
