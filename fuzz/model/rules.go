package model

import "github.com/goepmd/goepmd/wire"

// Rule is one that refuses a registration with result 1.
type Rule string

// The rules, in the registry's words.
const (
	Taken      Rule = "taken"
	NameBytes  Rule = "name_bytes"  // more than 1020
	NameChars  Rule = "name_chars"  // more than 255
	NameUTF8   Rule = "name_utf8"   // not valid
	ExtraBytes Rule = "extra_bytes" // more than 1020
)

// Refuse is every rule but Taken that a node breaks.
func Refuse(n wire.Node) (broken []Rule) {
	if len(n.Name) > 1020 {
		broken = append(broken, NameBytes)
	}
	chars, valid := Chars(n.Name)
	if !valid {
		broken = append(broken, NameUTF8)
	}
	if chars > 255 {
		broken = append(broken, NameChars)
	}
	if len(n.Extra) > 1020 {
		broken = append(broken, ExtraBytes)
	}
	return broken
}

// Chars counts the characters of a text in UTF-8 up to the first fault, and says
// whether it has none. Every character has one form only, the shortest, and the
// surrogates and what is above U+10FFFF are none.
func Chars(s string) (n int, valid bool) {
	for ; len(s) > 0; n++ {
		size := charSize(s)
		if size == 0 {
			return n, false
		}
		s = s[size:]
	}
	return n, true
}

// charSize is the length of the first character, 0 if it is none.
func charSize(s string) int {
	var size int
	var c, lowest rune
	switch b := s[0]; {
	case b < 0x80:
		return 1
	case b < 0xc0:
		return 0 // in the middle of a character
	case b < 0xe0:
		size, c, lowest = 2, rune(b&0x1f), 0x80
	case b < 0xf0:
		size, c, lowest = 3, rune(b&0x0f), 0x800
	case b < 0xf8:
		size, c, lowest = 4, rune(b&0x07), 0x10000
	default:
		return 0
	}
	if len(s) < size {
		return 0
	}
	for _, b := range []byte(s[1:size]) {
		if b&0xc0 != 0x80 {
			return 0
		}
		c = c<<6 | rune(b&0x3f)
	}
	if c < lowest || c > 0x10ffff || 0xd800 <= c && c <= 0xdfff {
		return 0
	}
	return size
}
