package fields

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// reader cuts bytes into fields. What is missing is cut short, and said so.
type reader struct {
	b      []byte
	at     int
	fields []Field
}

// left is how many bytes are not cut yet.
func (r *reader) left() int { return len(r.b) - r.at }

// take makes the next n bytes a field. describe tells of them if all are there.
func (r *reader) take(name string, n int, describe func(b []byte) (value, note string)) {
	have := min(n, r.left())
	if have <= 0 {
		return
	}
	f := Field{Name: name, At: r.at, Bytes: r.b[r.at : r.at+have]}
	r.at += have
	if have < n {
		f.Note = fmt.Sprintf("%d of %d bytes", have, n)
	} else {
		f.Value, f.Note = describe(f.Bytes)
	}
	r.fields = append(r.fields, f)
}

// number takes a big-endian number; it is 0 if not all of it is there.
func (r *reader) number(name string, size int, note func(v int) string) int {
	v := 0
	r.take(name, size, func(b []byte) (string, string) {
		var wide [8]byte
		copy(wide[len(wide)-size:], b)
		v = int(binary.BigEndian.Uint64(wide[:]))
		return strconv.Itoa(v), note(v)
	})
	return v
}

// rest takes up to n bytes that are of no use.
func (r *reader) rest(name string, n int, note string) {
	n = min(n, r.left())
	r.take(name, n, func(b []byte) (string, string) { return count(len(b), "byte"), note })
}

// text takes a name.
func (r *reader) text(name string, n int, note string) {
	r.take(name, n, func(b []byte) (string, string) {
		if note == "" {
			note = count(utf8.RuneCount(b), "character")
		}
		return strconv.Quote(string(b)), note
	})
}

// literal takes text that is always the same.
func (r *reader) literal(n int) { r.text("text", n, "always so") }

func says(note string) func(int) string { return func(int) string { return note } }

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

func length(of string) func(int) string {
	return func(v int) string { return count(v, "byte") + " of " + of }
}
