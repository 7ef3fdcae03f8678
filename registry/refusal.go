package registry

import (
	"strconv"
	"unicode/utf8"

	"github.com/goepmd/goepmd/wire"
)

// Refusal is a reason not to register a node. It is the error of
// [Registry.Register] and [Check], and a small integer below [NumRefusals], fit
// to index an array of counters.
type Refusal uint8

// The refusals. A daemon answers every one of them with result 1.
const (
	_ Refusal = iota
	// RefusedTaken: the name is registered already.
	RefusedTaken
	// RefusedNameBytes: the name is longer than wire.MaxNameBytes bytes.
	RefusedNameBytes
	// RefusedNameChars: the name is longer than wire.MaxNameChars characters.
	RefusedNameChars
	// RefusedNameUTF8: the name is not valid UTF-8.
	RefusedNameUTF8
	// RefusedExtraBytes: the extra field is longer than wire.MaxExtraBytes bytes.
	RefusedExtraBytes

	// NumRefusals is one more than the highest refusal.
	NumRefusals = iota
)

// String is the refusal's label for a counter: lower-case words joined by _.
func (r Refusal) String() string {
	switch r {
	case RefusedTaken:
		return "taken"
	case RefusedNameBytes:
		return "name_bytes"
	case RefusedNameChars:
		return "name_chars"
	case RefusedNameUTF8:
		return "name_utf8"
	case RefusedExtraBytes:
		return "extra_bytes"
	}
	return "unknown"
}

// Error says what is wrong with the registration.
func (r Refusal) Error() string {
	switch r {
	case RefusedTaken:
		return "the name is already registered"
	case RefusedNameBytes:
		return "the name is longer than " + strconv.Itoa(wire.MaxNameBytes) + " bytes"
	case RefusedNameChars:
		return "the name is longer than " + strconv.Itoa(wire.MaxNameChars) + " characters"
	case RefusedNameUTF8:
		return "the name is not valid UTF-8"
	case RefusedExtraBytes:
		return "the extra field is longer than " + strconv.Itoa(wire.MaxExtraBytes) + " bytes"
	}
	return "refused for an unknown reason"
}

// Check says whether a name and an extra field are within the limits: nil, or a
// [Refusal] other than RefusedTaken.
func Check(name, extra string) error {
	if why := check(name, extra); why != 0 {
		return why
	}
	return nil
}

// check is 0 if nothing is to be said against the fields.
func check(name, extra string) Refusal {
	switch {
	case len(name) > wire.MaxNameBytes:
		return RefusedNameBytes
	case !utf8.ValidString(name):
		return RefusedNameUTF8
	case utf8.RuneCountInString(name) > wire.MaxNameChars:
		return RefusedNameChars
	case len(extra) > wire.MaxExtraBytes:
		return RefusedExtraBytes
	}
	return 0
}
