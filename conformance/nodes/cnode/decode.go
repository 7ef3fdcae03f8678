package cnode

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// Decode reads one term in the external format, behind the version byte, and gives
// the bytes after it. It fails with ErrTerm for what is cut short, nested too deeply,
// or of a kind that is not known here; it does not fail otherwise.
func Decode(b []byte) (Term, []byte, error) {
	d := decoder{b: b}
	t := d.term(0)
	if d.err != nil {
		return nil, nil, d.err
	}
	return t, d.b, nil
}

// decoder takes bytes from the front of b. After the first error it gives zeros.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrTerm, fmt.Sprintf(format, args...))
	}
	d.b = nil
}

// take gives the next n bytes, or nil.
func (d *decoder) take(n int) []byte {
	if n > len(d.b) {
		d.fail("%d bytes are missing", n-len(d.b))
		return nil
	}
	head := d.b[:n:n]
	d.b = d.b[n:]
	return head
}

func (d *decoder) u8() int {
	if b := d.take(1); b != nil {
		return int(b[0])
	}
	return 0
}

func (d *decoder) u16() int {
	if b := d.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (d *decoder) u32() uint32 {
	if b := d.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// count reads a number of elements, of which each takes at least a byte.
func (d *decoder) count() int {
	n := d.u32()
	if uint64(n) > uint64(len(d.b)) {
		d.fail("%d elements in %d bytes", n, len(d.b))
		return 0
	}
	return int(n)
}

func (d *decoder) term(depth int) Term {
	if depth > maxDepth {
		d.fail("nested more than %d deep", maxDepth)
		return nil
	}
	switch tag := d.u8(); tag {
	case tagSmallInt:
		return int64(d.u8())
	case tagInt:
		return int64(int32(d.u32()))
	case tagSmallBig:
		return d.big()
	case tagNewFloat:
		high, low := d.u32(), d.u32()
		return math.Float64frombits(uint64(high)<<32 | uint64(low))
	case tagAtom, tagSmallAtom, tagAtomUTF8, tagSmallAtomUTF8:
		return d.atomAfter(tag)
	case tagSmallTuple:
		return Tuple(d.terms(d.u8(), depth))
	case tagLargeTuple:
		return Tuple(d.terms(d.count(), depth))
	case tagNil:
		return List{}
	case tagString:
		var l List
		for _, c := range d.take(d.u16()) {
			l.Elems = append(l.Elems, int64(c))
		}
		return l
	case tagList:
		l := List{Elems: d.terms(d.count(), depth)}
		tail := d.term(depth + 1)
		if len(l.Elems) == 0 {
			return tail
		}
		if !isNil(tail) {
			l.Tail = tail
		}
		return l
	case tagBinary:
		return append([]byte{}, d.take(d.count())...)
	case tagNewPid, tagPid:
		return Pid{Node: d.atom(), ID: d.u32(), Serial: d.u32(), Creation: d.creation(tag == tagNewPid)}
	case tagNewerRef, tagNewRef:
		return d.ref(tag == tagNewerRef)
	default:
		d.fail("the tag %d is not known here", tag)
		return nil
	}
}

func isNil(t Term) bool {
	l, ok := t.(List)
	return ok && len(l.Elems) == 0 && l.Tail == nil
}

func (d *decoder) terms(n, depth int) []Term {
	var all []Term
	for range n {
		if d.err != nil {
			return nil
		}
		all = append(all, d.term(depth+1))
	}
	return all
}

func (d *decoder) big() Term {
	size, negative := d.u8(), d.u8() != 0
	digits := d.take(size)
	var v uint64
	for i, digit := range digits {
		if i >= 8 && digit != 0 {
			d.fail("an integer of %d bytes", size)
			return nil
		}
		v |= uint64(digit) << (8 * i)
	}
	switch {
	case !negative && v <= math.MaxInt64:
		return int64(v)
	case negative && v <= math.MaxInt64+1:
		return int64(-v)
	}
	d.fail("an integer beyond 64 bits")
	return nil
}

func (d *decoder) atom() Atom { return d.atomAfter(d.u8()) }

func (d *decoder) atomAfter(tag int) Atom {
	switch tag {
	case tagAtomUTF8:
		return d.utf8Atom(d.take(d.u16()))
	case tagSmallAtomUTF8:
		return d.utf8Atom(d.take(d.u8()))
	case tagAtom:
		return d.latin1Atom(d.take(d.u16()))
	case tagSmallAtom:
		return d.latin1Atom(d.take(d.u8()))
	}
	d.fail("the tag %d where an atom must be", tag)
	return ""
}

func (d *decoder) latin1Atom(b []byte) Atom {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return d.utf8Atom([]byte(string(runes)))
}

func (d *decoder) utf8Atom(b []byte) Atom {
	if len(b) > maxAtomLen || !utf8.Valid(b) {
		d.fail("an atom of %d bytes, %.40q", len(b), b)
		return ""
	}
	return Atom(b)
}

func (d *decoder) creation(long bool) uint32 {
	if long {
		return d.u32()
	}
	return uint32(d.u8())
}

func (d *decoder) ref(long bool) Term {
	n := d.u16()
	if n == 0 || n > maxRefIDs {
		d.fail("a reference of %d words", n)
		return nil
	}
	r := Ref{Node: d.atom(), Creation: d.creation(long)}
	for range n {
		r.IDs = append(r.IDs, d.u32())
	}
	return r
}
