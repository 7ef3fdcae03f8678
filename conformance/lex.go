package conformance

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bytes are written in scenarios as items with blanks between:
//
//	00016e              hexadecimal digits
//	"name foo"          a string of Go
//	{creation:x+1}      a hole
//	"é"*255             an item so many times
//	NAMES_REQ           a message, with its length in front
//	STOP_REQ(name=foo)  and with fields; those not given have defaults
//
// maxTimes bounds how often an item may be repeated.
const maxTimes = 1 << 16

// scanner reads a line of a scenario.
type scanner struct {
	rest string
}

// blanks skips blanks and says whether there is more.
func (s *scanner) blanks() bool {
	s.rest = strings.TrimLeft(s.rest, " ")
	return s.rest != ""
}

// take takes a prefix if it is there.
func (s *scanner) take(prefix string) bool {
	rest, ok := strings.CutPrefix(s.rest, prefix)
	if ok {
		s.rest = rest
	}
	return ok
}

// word takes what stands before the next of some characters.
func (s *scanner) word(until string) string {
	n := strings.IndexAny(s.rest, until)
	if n < 0 {
		n = len(s.rest)
	}
	w := s.rest[:n]
	s.rest = s.rest[n:]
	return w
}

// quoted takes a string of Go.
func (s *scanner) quoted() (string, error) {
	q, err := strconv.QuotedPrefix(s.rest)
	if err != nil {
		return "", fmt.Errorf("a string begins, but does not end, at %s", cut(s.rest))
	}
	s.rest = s.rest[len(q):]
	return strconv.Unquote(q)
}

// times takes "*N", if it is there; else 1.
func (s *scanner) times() (int, error) {
	if !s.take("*") {
		return 1, nil
	}
	w := s.word(" ,|)+:")
	n, err := strconv.Atoi(w)
	if err != nil || n < 0 || n > maxTimes {
		return 0, fmt.Errorf("*%s is no number of times", w)
	}
	return n, nil
}

// cut shortens a text for a message.
func cut(s string) string {
	if len(s) <= 40 {
		return s
	}
	n := 40
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// ends says that bytes are over: a comma, a bar or the line's end follow.
func (s *scanner) ends() bool {
	return !s.blanks() || s.rest[0] == ',' || s.rest[0] == '|' || s.rest[0] == ')'
}

// bytes takes items until a comma, a bar or the end.
func (s *scanner) bytes() (Bytes, error) {
	var out Bytes
	for !s.ends() {
		item, err := s.item()
		if err != nil {
			return nil, err
		}
		n, err := s.times()
		if err != nil {
			return nil, err
		}
		out = append(out, repeated(item, n)...)
	}
	return out, nil
}

// repeated is an item n times, in one part if it can be.
func repeated(item Bytes, n int) Bytes {
	if len(item) == 1 && item[0].Hole.Kind == "" {
		item[0].Bytes = bytes.Repeat(item[0].Bytes, n)
		return item
	}
	var out Bytes
	for range n {
		out = append(out, item...)
	}
	return out
}

// item takes one item.
func (s *scanner) item() (Bytes, error) {
	switch c := s.rest[0]; {
	case c == '"':
		text, err := s.quoted()
		return Bytes{{Bytes: []byte(text)}}, err
	case c == '{':
		return s.hole()
	case c >= 'A' && c <= 'Z':
		return s.message()
	}
	w := s.word(" ,|)*+")
	b, err := hex.DecodeString(w)
	if err != nil || w == "" {
		return nil, fmt.Errorf("%q is no hexadecimal, no string, no hole and no message", cut(w+s.rest))
	}
	return Bytes{{Bytes: b}}, nil
}

// hole takes "{kind}" or "{kind:name+1}".
func (s *scanner) hole() (Bytes, error) {
	s.take("{")
	w := s.word("}")
	if !s.take("}") {
		return nil, fmt.Errorf("{%s does not end", cut(w))
	}
	kind, name, _ := strings.Cut(w, ":")
	h, err := newHole(HoleKind(kind), name)
	return Bytes{{Field: kind, Hole: h}}, err
}

func newHole(kind HoleKind, name string) (Hole, error) {
	h := Hole{Kind: kind}
	switch kind {
	case Creation4, Creation2, FirstCreation:
		before, plus, add := strings.Cut(name, "+")
		h.Name = before
		if add {
			n, err := strconv.ParseUint(plus, 10, 32)
			if err != nil {
				return h, fmt.Errorf("{%s:%s}: what is added is no number", kind, name)
			}
			h.Plus = uint32(n)
		}
		if h.Name == "" {
			return h, fmt.Errorf("a creation needs a name, as in {creation:x}")
		}
	case OwnPort, PortText, Digits, Length, Rest:
		if name != "" {
			return h, fmt.Errorf("{%s} has no name", kind)
		}
	default:
		return h, fmt.Errorf("{%s} is no hole", kind)
	}
	return h, nil
}

// values are the fields of a message, as they are written.
type values struct {
	message string
	of      map[string]value
	// list is what stands in the message without a field: the nodes of a list.
	list []value
}

// value is a field's value.
type value struct {
	text  string // as it is written, without what stands behind a colon
	bytes []byte
	port  string // what stands behind a colon, in a list
}

// fields takes "(a=1 b=foo)", if it is there.
func (s *scanner) fields(message string) (values, error) {
	v := values{message: message, of: make(map[string]value)}
	if !s.take("(") {
		return v, nil
	}
	for s.blanks() && s.rest[0] != ')' {
		key := ""
		if at := strings.IndexAny(s.rest, "= )\""); at > 0 && s.rest[at] == '=' {
			key = s.rest[:at]
			s.rest = s.rest[at+1:]
		}
		val, err := s.value()
		if err != nil {
			return v, fmt.Errorf("%s: %s: %w", message, key, err)
		}
		if _, twice := v.of[key]; twice && key != "" {
			return v, fmt.Errorf("%s: %s stands twice", message, key)
		}
		if key == "" {
			v.list = append(v.list, val)
		} else {
			v.of[key] = val
		}
	}
	if !s.take(")") {
		return v, fmt.Errorf("%s: a parenthesis is missing", message)
	}
	return v, nil
}

// value takes a word, or a sum of strings and hexadecimal "0x…", each perhaps some
// times.
func (s *scanner) value() (value, error) {
	var v value
	begin := s.rest
	for more := true; more; more = s.take("+") {
		var b []byte
		switch {
		case s.rest == "":
			return v, fmt.Errorf("nothing stands there")
		case s.rest[0] == '"':
			text, err := s.quoted()
			if err != nil {
				return v, err
			}
			b = []byte(text)
		default:
			word := s.word(" )*+:")
			if h, ok := strings.CutPrefix(word, "0x"); ok {
				var err error
				if b, err = hex.DecodeString(h); err != nil {
					return v, fmt.Errorf("0x%s: two digits are a byte", h)
				}
			} else {
				b = []byte(word)
			}
		}
		n, err := s.times()
		if err != nil {
			return v, err
		}
		v.bytes = append(v.bytes, bytes.Repeat(b, n)...)
	}
	v.text = begin[:len(begin)-len(s.rest)]
	if s.take(":") {
		v.port = s.word(" )")
	}
	return v, nil
}

// number takes a number of so many bytes, or a default.
func (v *values) number(key string, def int, size int) (Part, error) {
	n := uint64(def)
	if val, ok := v.of[key]; ok {
		delete(v.of, key)
		var err error
		if n, err = strconv.ParseUint(val.text, 0, 8*size); err != nil {
			return Part{}, fmt.Errorf("%s: %s=%s is no number of %d bytes", v.message, key, val.text, size)
		}
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	return Part{Field: key, Bytes: append([]byte(nil), b[8-size:]...)}, nil
}

// raw takes the bytes of a field, or a default.
func (v *values) raw(key, def string) []byte {
	val, ok := v.of[key]
	if !ok {
		return []byte(def)
	}
	delete(v.of, key)
	return val.bytes
}

// left says which fields the message does not have.
func (v *values) left() error {
	for key := range v.of {
		return fmt.Errorf("%s has no field %s", v.message, key)
	}
	return nil
}
