package differ

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/goepmd/goepmd/wire"
)

// Bounds of a [Conversation].
const (
	// MaxConns is how many connections it uses, numbered from 0.
	MaxConns = 8
	// MaxSteps is how many steps it has.
	MaxSteps = 40
	// MaxSend is how many bytes one step sends: more than a daemon reads at once.
	MaxSend = 4096
)

// Kind is what a step does.
type Kind uint8

// The kinds of steps.
const (
	Send      Kind = iota // send bytes as one segment
	Open                  // connect, and send nothing yet
	HalfClose             // end the sending side
	Close                 // close the connection
	Reset                 // break the connection
	numKinds
)

var kindNames = [numKinds]string{"Send", "Open", "HalfClose", "Close", "Reset"}

// String is the name of the constant.
func (k Kind) String() string {
	if k < numKinds {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Step is one thing that happens on one connection. Send and Open connect if the
// connection is not open, or not any more; the others do nothing then.
type Step struct {
	Conn  int
	Kind  Kind
	Bytes []byte // of Send
}

// Conversation is what is played to both daemons.
type Conversation struct {
	Steps []Step
	// Prefix begins every name that is registered or stopped, if it is not
	// empty: the conversation may then be played beside others with other
	// prefixes. See [Conversation.Shareable].
	Prefix string
}

// String is the conversation for reading, a line for each step.
func (c Conversation) String() string {
	var b strings.Builder
	for i, s := range c.Steps {
		fmt.Fprintf(&b, "%3d. conn %d %s", i+1, s.Conn, s.Kind)
		if s.Kind == Send {
			fmt.Fprintf(&b, " %d bytes%s %s", len(s.Bytes), describe(s.Bytes), quote(s.Bytes))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// GoString is the conversation as a Go literal, for a test.
func (c Conversation) GoString() string {
	var b strings.Builder
	b.WriteString("differ.Conversation{Steps: []differ.Step{\n")
	for _, s := range c.Steps {
		fmt.Fprintf(&b, "\t{Conn: %d, Kind: differ.%s", s.Conn, s.Kind)
		if s.Kind == Send {
			fmt.Fprintf(&b, ", Bytes: []byte(%q)", s.Bytes)
		}
		b.WriteString("},\n")
	}
	b.WriteString("}}")
	return b.String()
}

// describe says what a packet is that the bytes hold whole.
func describe(b []byte) string {
	n, err := wire.PacketLen(b)
	if err != nil || n == 0 || len(b) < n {
		return ""
	}
	text := " " + wire.Tag(b[wire.HeaderLen]).String()
	if len(b) > n {
		text += fmt.Sprintf(" and %d more", len(b)-n)
	}
	return text
}

// quote shows bytes, the middle of long ones left out.
func quote(b []byte) string {
	const ends = 400
	if len(b) <= 2*ends {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%q … %d bytes … %q", b[:ends], len(b)-2*ends, b[len(b)-ends:])
}

// Shareable says whether the conversation keeps to names with its own prefix, and
// does not end the daemon: if so it can be played beside others.
func (c Conversation) Shareable() bool {
	if c.Prefix == "" {
		return false
	}
	var sent [MaxConns][]byte
	for _, s := range c.Steps {
		switch s.Kind {
		case Send:
			// The connection may have been closed by the daemon meanwhile, and
			// the bytes then begin a packet. Both readings must be harmless.
			sent[s.Conn] = append(sent[s.Conn], s.Bytes...)
			if !harmless(sent[s.Conn], c.Prefix) || !harmless(s.Bytes, c.Prefix) {
				return false
			}
		case Close, Reset:
			sent[s.Conn] = nil
		}
	}
	return true
}

// harmless says that the packet at the start of b changes nothing but what is
// under the prefix.
func harmless(b []byte, prefix string) bool {
	n, err := wire.PacketLen(b)
	if err != nil || n == 0 || len(b) < n {
		return true
	}
	body := b[wire.HeaderLen:n]
	switch wire.Tag(body[0]) {
	case wire.TagKillReq, wire.TagKill3Req, wire.TagAlive3Req, wire.TagStop3Req:
		return false
	case wire.TagAlive2Req:
		req, err := wire.ParseAlive2Req(body)
		return err != nil || bytes.HasPrefix(req.Name, []byte(prefix))
	case wire.TagStopReq:
		req, err := wire.ParseStopReq(body)
		return err != nil || bytes.HasPrefix(req.Name, []byte(prefix))
	}
	return true
}
