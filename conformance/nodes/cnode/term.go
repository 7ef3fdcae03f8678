package cnode

import (
	"bytes"
	"fmt"
	"strings"
)

// Term is an Erlang term: Atom, Tuple, List, int64, float64, []byte for a binary,
// Pid or Ref. An int stands for an int64 where a term is to be sent.
type Term any

// Atom is an atom: at most 255 characters of UTF-8.
type Atom string

// Tuple is a tuple.
type Tuple []Term

// List is a list. Tail is what follows the elements in an improper one, and nil else.
// A string is a list of int64.
type List struct {
	Elems []Term
	Tail  Term
}

// Pid names a process.
type Pid struct {
	Node                 Atom
	ID, Serial, Creation uint32
}

// Ref is a reference. IDs are one to five words.
type Ref struct {
	Node     Atom
	Creation uint32
	IDs      []uint32
}

// Proper gives a list of elements.
func Proper(elems ...Term) List { return List{Elems: elems} }

// Equal says whether two terms are the same.
func Equal(a, b Term) bool {
	x, err := Append(nil, a)
	if err != nil {
		return false
	}
	y, err := Append(nil, b)
	return err == nil && bytes.Equal(x, y)
}

// Text is a list of characters, or a binary, as a string.
func Text(t Term) (string, error) {
	switch t := t.(type) {
	case []byte:
		return string(t), nil
	case List:
		var s strings.Builder
		for _, e := range t.Elems {
			c, ok := e.(int64)
			if !ok || c < 0 || c > 0x10ffff {
				return "", fmt.Errorf("%v is no character", e)
			}
			s.WriteRune(rune(c))
		}
		return s.String(), nil
	}
	return "", fmt.Errorf("a %T is no text", t)
}
