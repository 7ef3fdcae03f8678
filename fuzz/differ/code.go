package differ

import (
	"encoding/binary"
	"errors"
)

// The bytes of a conversation are its steps one after the other: a byte with the
// connection in its low three bits and the kind of code above, then what that
// code needs. Every sequence of bytes is a conversation, and most changes of a
// byte change one step.
const (
	codeRaw    = iota // length:16 and the bytes to send
	codePacket        // length:8 and the body of a packet
	codeName          // what:8 and length:8 and a name: a well-formed request
	codeMeddle        // position:8 and difference:8: the last packet again, changed
	codeEnd           // what:8: Open, HalfClose, Close or Reset
	codePad           // length:16 and a byte: a packet with a long run of it
	codeCut           // position:8: the last packet again, in two segments
	codeList          // what:8: a list, or a tag alone
)

// ErrTooBig says that a conversation is outside the bounds.
var ErrTooBig = errors.New("the conversation has too many connections, steps or bytes")

// Encode writes a conversation so that [Decode] gives it back, without its prefix.
// It fails with ErrTooBig.
func Encode(c Conversation) ([]byte, error) {
	if len(c.Steps) > MaxSteps {
		return nil, ErrTooBig
	}
	var b []byte
	for _, s := range c.Steps {
		if s.Conn < 0 || s.Conn >= MaxConns || len(s.Bytes) > MaxSend || s.Kind >= numKinds {
			return nil, ErrTooBig
		}
		if s.Kind == Send {
			b = append(b, byte(codeRaw<<3|s.Conn))
			b = binary.BigEndian.AppendUint16(b, uint16(len(s.Bytes)))
			b = append(b, s.Bytes...)
			continue
		}
		b = append(b, byte(codeEnd<<3|s.Conn), byte(s.Kind))
	}
	return b, nil
}

// Decode makes a conversation of any bytes, always the same of the same bytes. What is
// missing at their end counts as zero or is left out; what is beyond the bounds
// is cut off.
func Decode(data []byte) Conversation {
	d := decoder{rest: data}
	for len(d.rest) > 0 && len(d.steps) < MaxSteps {
		d.step()
	}
	return Conversation{Steps: d.steps[:min(len(d.steps), MaxSteps)]}
}

type decoder struct {
	rest  []byte
	steps []Step
	last  []byte // the packet that was sent last
}

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder) take(n int) []byte {
	n = min(n, len(d.rest))
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) step() {
	head := d.byte()
	conn := int(head & (MaxConns - 1))
	switch head >> 3 & 7 {
	case codeRaw:
		n := int(d.byte())<<8 | int(d.byte())
		d.send(conn, d.take(min(n, MaxSend)))
	case codePacket:
		d.packet(conn, d.take(int(d.byte())))
	case codeName:
		what := d.byte()
		d.packet(conn, named(what, d.take(int(d.byte()))))
	case codeMeddle:
		at, by := int(d.byte()), d.byte()
		again := append([]byte(nil), d.last...)
		if len(again) > 0 {
			again[at%len(again)] += by
		}
		d.send(conn, again)
	case codeEnd:
		if kind := Kind(d.byte()) % numKinds; kind != Send {
			d.steps = append(d.steps, Step{Conn: conn, Kind: kind})
		}
	case codePad:
		n := int(d.byte())<<8 | int(d.byte())
		with := d.byte()
		body := append([]byte(nil), d.take(16)...)
		for range n % (MaxSend - 32) {
			body = append(body, with)
		}
		d.packet(conn, body)
	case codeCut:
		if len(d.last) > 1 {
			at := 1 + int(d.byte())%(len(d.last)-1)
			first, second := d.last[:at:at], d.last[at:]
			d.send(conn, first)
			d.send(conn, second)
		}
	case codeList:
		d.packet(conn, []byte{tags[int(d.byte())%len(tags)]})
	}
}

func (d *decoder) send(conn int, b []byte) {
	d.steps = append(d.steps, Step{Conn: conn, Kind: Send, Bytes: b})
	d.last = b
}

// packet frames a body, also one that is too long or empty.
func (d *decoder) packet(conn int, body []byte) { d.send(conn, frame(body)) }

// frame puts the length in front of a body, right or wrong.
func frame(body []byte) []byte {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(body)), uint16(len(body)))
	return append(b, body...)
}

var tags = [...]byte{'n', 'd', 'k', 's', 'z', 'x', 'y', 0, 'N', 'D', 'K', 'S', 'Z', 'X'}

// named is the body of a request about a name.
func named(what byte, name []byte) []byte {
	if what >= 0xe0 {
		return named3(what, name)
	}
	switch what & 3 {
	case 0:
		return append([]byte{'z'}, name...)
	case 1:
		return append([]byte{'s'}, name...)
	case 2:
		return alive2(1000+uint16(what), 6, name, nil)
	}
	return alive2(1000+uint16(what), 5, name, []byte{what})
}

// named3 is likewise one of the multi-transport extension, with a few transports.
func named3(what byte, name []byte) []byte {
	transports := []string{"inet_tcp", "inet_tls", "uds", ""}
	of := transports[what>>2&3]
	switch what & 3 {
	case 0:
		b := []byte{'Z', 0, what >> 2 & 3, 0, 0}
		for _, t := range transports[:what>>2&3] {
			b = append(append(b, byte(len(t))), t...)
		}
		b[4] = byte(len(b) - 5)
		return append(append(b, byte(len(name))), name...)
	case 1:
		return append([]byte{'S'}, name...)
	}
	b := append([]byte{'X', 0, what, 77, byte(len(of))}, of...)
	b = append(b, 0, what&1+5, 0, 5)
	b = binary.BigEndian.AppendUint16(b, uint16(len(name)))
	return append(append(b, name...), 0, 0)
}

// alive2 is the body of an ALIVE2_REQ with its lengths right.
func alive2(port, highest uint16, name, extra []byte) []byte {
	b := append(make([]byte, 0, 13+len(name)+len(extra)), 'x')
	b = binary.BigEndian.AppendUint16(b, port)
	b = append(b, 77, 0)
	b = binary.BigEndian.AppendUint16(b, highest)
	b = binary.BigEndian.AppendUint16(b, 5)
	b = binary.BigEndian.AppendUint16(b, uint16(len(name)))
	b = append(b, name...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(extra)))
	return append(b, extra...)
}
