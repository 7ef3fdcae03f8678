package fields

import (
	"encoding/hex"
	"encoding/json"
)

// Message is bytes with names.
type Message struct {
	// Name is the protocol's, "ALIVE2_REQ", empty if the bytes are of no message.
	Name string `json:"message"`
	// Fields cover every byte once, in order.
	Fields []Field `json:"fields"`
	// Fault says what is wrong with it, as wire or registry do, and Label is its label
	// for counters. Both are empty if nothing is.
	Fault string `json:"fault"`
	Label string `json:"label"`
	// OTP says what OTP's epmd does with it, as the only thing on a fresh connection from
	// its own machine. It is empty for a reply.
	OTP string `json:"otp"`
}

// Field is some bytes and what they say.
type Field struct {
	Name string
	// At is where it begins, in bytes.
	At    int
	Bytes []byte
	// Value is what the bytes say, and Note what that means; either may be empty.
	Value, Note string
}

// MarshalJSON writes the bytes in hexadecimal.
func (f Field) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name  string `json:"name"`
		At    int    `json:"at"`
		Bytes string `json:"bytes"`
		Value string `json:"value"`
		Note  string `json:"note"`
	}{f.Name, f.At, hex.EncodeToString(f.Bytes), f.Value, f.Note})
}
