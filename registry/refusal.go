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
	// RefusedTaken: the name is registered already; of one with transports, this
	// transport is, or what is registered has none, or Config.OneHolder keeps the name for
	// another owner.
	RefusedTaken
	// RefusedNameBytes: the name is longer than wire.MaxNameBytes bytes.
	RefusedNameBytes
	// RefusedNameChars: the name is longer than wire.MaxNameChars characters.
	RefusedNameChars
	// RefusedNameUTF8: the name is not valid UTF-8.
	RefusedNameUTF8
	// RefusedExtraBytes: the extra field is longer than wire.MaxExtraBytes bytes.
	RefusedExtraBytes
	// RefusedTransports: the name has wire.MaxTransports transports already.
	RefusedTransports
	// RefusedTransportName: the transport's name is longer than
	// wire.MaxTransportLen bytes, or holds a NUL. A daemon closes such a request
	// unanswered before it comes to that.
	RefusedTransportName
	// RefusedHeld: the owner holds Config.MaxHeld transports already.
	RefusedHeld
	// RefusedNotAdmitted: the program that embeds the daemon does not admit the node.
	// No registry says so, but whoever asks the program first.
	RefusedNotAdmitted

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
	case RefusedTransports:
		return "transports"
	case RefusedTransportName:
		return "transport_name"
	case RefusedHeld:
		return "held"
	case RefusedNotAdmitted:
		return "not_admitted"
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
	case RefusedTransports:
		return "the name has " + strconv.Itoa(wire.MaxTransports) + " transports already"
	case RefusedTransportName:
		return "the name of the transport is longer than " + strconv.Itoa(wire.MaxTransportLen) + " bytes, or holds a NUL byte"
	case RefusedHeld:
		return "the connection holds as many transports as it may"
	case RefusedNotAdmitted:
		return "the program does not admit the node"
	}
	return "refused for an unknown reason"
}

// Check says whether a name and an extra field are within the limits: nil, or a
// [Refusal] that does not depend on what is registered.
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
