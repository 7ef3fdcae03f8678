package cnode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// The tags of the external term format that are used here.
const (
	tagVersion       = 131
	tagNewFloat      = 70
	tagNewPid        = 88
	tagNewerRef      = 90
	tagSmallInt      = 97
	tagInt           = 98
	tagAtom          = 100 // Latin-1, 2 bytes of length
	tagPid           = 103 // with one byte of creation
	tagSmallTuple    = 104
	tagLargeTuple    = 105
	tagNil           = 106
	tagString        = 107
	tagList          = 108
	tagBinary        = 109
	tagSmallBig      = 110
	tagNewRef        = 114 // with one byte of creation
	tagSmallAtom     = 115 // Latin-1, 1 byte of length
	tagAtomUTF8      = 118
	tagSmallAtomUTF8 = 119
)

// Bounds of a term.
const (
	maxDepth   = 64
	maxRefIDs  = 5
	maxAtomLen = 255 * 4
)

// ErrTerm says that a term cannot be written or read.
var ErrTerm = errors.New("bad term")

// Append appends a term in the external format, without the version byte. It fails
// with ErrTerm for a Go value that is no [Term], and for one that is too large or
// nested too deeply.
func Append(b []byte, t Term) ([]byte, error) { return appendTerm(b, t, 0) }

func appendTerm(b []byte, t Term, depth int) ([]byte, error) {
	if depth > maxDepth {
		return b, fmt.Errorf("%w: nested more than %d deep", ErrTerm, maxDepth)
	}
	switch t := t.(type) {
	case Atom:
		return appendAtom(b, t)
	case int:
		return appendInt(b, int64(t)), nil
	case int64:
		return appendInt(b, t), nil
	case float64:
		return binary.BigEndian.AppendUint64(append(b, tagNewFloat), math.Float64bits(t)), nil
	case []byte:
		b = binary.BigEndian.AppendUint32(append(b, tagBinary), uint32(len(t)))
		return append(b, t...), nil
	case Tuple:
		if len(t) <= math.MaxUint8 {
			b = append(b, tagSmallTuple, byte(len(t)))
		} else {
			b = binary.BigEndian.AppendUint32(append(b, tagLargeTuple), uint32(len(t)))
		}
		return appendAll(b, t, depth)
	case List:
		return appendList(b, t, depth)
	case Pid:
		b, err := appendAtom(append(b, tagNewPid), t.Node)
		b = binary.BigEndian.AppendUint32(b, t.ID)
		b = binary.BigEndian.AppendUint32(b, t.Serial)
		return binary.BigEndian.AppendUint32(b, t.Creation), err
	case Ref:
		return appendRef(b, t)
	}
	return b, fmt.Errorf("%w: a %T", ErrTerm, t)
}

func appendAll(b []byte, terms []Term, depth int) ([]byte, error) {
	var err error
	for _, t := range terms {
		if b, err = appendTerm(b, t, depth+1); err != nil {
			return b, err
		}
	}
	return b, nil
}

func appendAtom(b []byte, a Atom) ([]byte, error) {
	if len(a) > maxAtomLen {
		return b, fmt.Errorf("%w: an atom of %d bytes", ErrTerm, len(a))
	}
	if len(a) <= math.MaxUint8 {
		b = append(b, tagSmallAtomUTF8, byte(len(a)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, tagAtomUTF8), uint16(len(a)))
	}
	return append(b, a...), nil
}

func appendInt(b []byte, v int64) []byte {
	switch {
	case 0 <= v && v <= math.MaxUint8:
		return append(b, tagSmallInt, byte(v))
	case math.MinInt32 <= v && v <= math.MaxInt32:
		return binary.BigEndian.AppendUint32(append(b, tagInt), uint32(v))
	}
	sign, size := byte(0), uint64(v)
	if v < 0 {
		sign, size = 1, -size
	}
	return binary.LittleEndian.AppendUint64(append(b, tagSmallBig, 8, sign), size)
}

func appendList(b []byte, l List, depth int) ([]byte, error) {
	if len(l.Elems) > 0 {
		b = binary.BigEndian.AppendUint32(append(b, tagList), uint32(len(l.Elems)))
		var err error
		if b, err = appendAll(b, l.Elems, depth); err != nil {
			return b, err
		}
	}
	if l.Tail != nil {
		return appendTerm(b, l.Tail, depth+1)
	}
	return append(b, tagNil), nil
}

func appendRef(b []byte, r Ref) ([]byte, error) {
	if len(r.IDs) == 0 || len(r.IDs) > maxRefIDs {
		return b, fmt.Errorf("%w: a reference of %d words", ErrTerm, len(r.IDs))
	}
	b = binary.BigEndian.AppendUint16(append(b, tagNewerRef), uint16(len(r.IDs)))
	b, err := appendAtom(b, r.Node)
	b = binary.BigEndian.AppendUint32(b, r.Creation)
	for _, id := range r.IDs {
		b = binary.BigEndian.AppendUint32(b, id)
	}
	return b, err
}
