package transcript

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Matcher compares what arrived with patterns: hexadecimal digits, with
// placeholders whose values it keeps from one step to the next.
//
//	{C4:x}   a creation of 4 bytes, called x where it first stands
//	{C4:x+1} one more than x
//	{C2:x}   a creation of 2 bytes: a counter modulo 3, plus 1
//	{FD}     one decimal digit or more
//	{P}      the daemon's own port in 4 bytes
type Matcher struct {
	port   uint16
	wide   map[string]uint32
	narrow map[string]uint32
}

// NewMatcher begins a scenario with a daemon on a port.
func NewMatcher(port uint16) *Matcher {
	return &Matcher{port: port, wide: make(map[string]uint32), narrow: make(map[string]uint32)}
}

var placeholder = regexp.MustCompile(`\{(C4|C2|FD|P)(?::([a-z]+)(?:\+([0-9]+))?)?\}`)

// Match says how the bytes differ from the pattern; nil if they do not.
func (m *Matcher) Match(pattern string, got []byte) error {
	rest := got
	for pattern != "" {
		at := placeholder.FindStringSubmatchIndex(pattern)
		literal := pattern
		if at != nil {
			literal = pattern[:at[0]]
		}
		want, err := hex.DecodeString(literal)
		if err != nil {
			return fmt.Errorf("pattern %q: %w", literal, err)
		}
		if len(rest) < len(want) || string(rest[:len(want)]) != string(want) {
			return differ(got, len(got)-len(rest), literal)
		}
		rest = rest[len(want):]
		if at == nil {
			pattern = ""
			continue
		}
		hole := placeholder.FindStringSubmatch(pattern)
		n, err := m.fill(hole[1], hole[2], hole[3], rest)
		if err != nil {
			return fmt.Errorf("%w; %w", err, differ(got, len(got)-len(rest), hole[0]))
		}
		rest = rest[n:]
		pattern = pattern[at[1]:]
	}
	if len(rest) > 0 {
		return differ(got, len(got)-len(rest), "the end")
	}
	return nil
}

func differ(got []byte, at int, want string) error {
	return fmt.Errorf("got %x: from byte %d on expected %s", got, at, want)
}

var errShort = errors.New("too few bytes")

// fill matches one placeholder and says how many bytes it took.
func (m *Matcher) fill(kind, name, plus string, b []byte) (int, error) {
	switch kind {
	case "FD":
		n := len(b) - len(strings.TrimLeft(string(b), "0123456789"))
		if n == 0 {
			return 0, errors.New("no digits")
		}
		return n, nil
	case "P":
		if len(b) < 4 {
			return 0, errShort
		}
		if got := binary.BigEndian.Uint32(b); got != uint32(m.port) {
			return 0, fmt.Errorf("port %d, expected %d", got, m.port)
		}
		return 4, nil
	case "C4":
		if len(b) < 4 {
			return 0, errShort
		}
		return 4, m.creation(m.wide, name, plus, binary.BigEndian.Uint32(b), func(x, n uint32) uint32 { return x + n })
	}
	if len(b) < 2 {
		return 0, errShort
	}
	return 2, m.creation(m.narrow, name, plus, uint32(binary.BigEndian.Uint16(b)), func(x, n uint32) uint32 { return (x-1+n)%3 + 1 })
}

// creation binds a name, or compares with what it is bound to.
func (m *Matcher) creation(bound map[string]uint32, name, plus string, got uint32, add func(x, n uint32) uint32) error {
	var n uint64
	if plus != "" {
		var err error
		if n, err = strconv.ParseUint(plus, 10, 32); err != nil {
			return err
		}
	}
	x, known := bound[name]
	if !known {
		if n != 0 {
			return fmt.Errorf("creation %s is not known yet", name)
		}
		bound[name] = got
		return nil
	}
	if want := add(x, uint32(n)); got != want {
		return fmt.Errorf("creation %d, expected %d", got, want)
	}
	return nil
}
