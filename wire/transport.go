package wire

import (
	"encoding/binary"
	"iter"
)

// Transport is one way to a node that has several: the port that it listens on
// for it. It owns its string, and two of them compare with ==.
type Transport struct {
	// Name is the distribution module without "_dist", such as inet_tcp: at most
	// MaxTransportLen bytes without NUL. It is empty for what ALIVE2_REQ
	// registered, which tells none.
	Name string
	Port uint16
}

// TransportList is names of transports, each with a byte in front that tells its
// length, as a PORT_PLEASE3_REQ lists them.
type TransportList []byte

// AppendTransports appends names to a list. It appends nothing and fails with
// [FaultTooLong] for a name of more than MaxTransportLen bytes, or for more than
// MaxTransports in the whole list.
func AppendTransports(l TransportList, names ...string) (TransportList, error) {
	if l.Len()+len(names) > MaxTransports {
		return l, errPort3ReqCount
	}
	for _, name := range names {
		if len(name) > MaxTransportLen {
			return l, errPort3ReqTransport
		}
	}
	for _, name := range names {
		l = append(l, byte(len(name)))
		l = append(l, name...)
	}
	return l, nil
}

// All yields the names, which borrow from the list, up to the first that runs
// past its end.
func (l TransportList) All() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(l) > 0 {
			n := 1 + int(l[0])
			if n > len(l) || !yield(l[1:n:n]) {
				return
			}
			l = l[n:]
		}
	}
}

// Has says whether a name is in the list.
func (l TransportList) Has(name string) bool {
	for len(l) > 0 {
		n := 1 + int(l[0])
		if n > len(l) {
			return false
		}
		if string(l[1:n]) == name {
			return true
		}
		l = l[n:]
	}
	return false
}

// Len is how many names there are.
func (l TransportList) Len() int {
	n := 0
	for range l.All() {
		n++
	}
	return n
}

// PortList is transports with their ports, as the answer to a PORT_PLEASE3_REQ
// lists them.
//
//	(port:16 len:8 transport)*
type PortList []byte

// appendPorts appends transports in that form.
func appendPorts(b []byte, of []Transport) []byte {
	for _, t := range of {
		b = binary.BigEndian.AppendUint16(b, t.Port)
		b = append(b, byte(len(t.Name)))
		b = append(b, t.Name...)
	}
	return b
}

// portEntryLen is the length of an entry without its name.
const portEntryLen = 3

// All yields each port with the name of its transport, which borrows from the list,
// up to the first that runs past the end.
func (l PortList) All() iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(l) >= portEntryLen {
			n := portEntryLen + int(l[2])
			if n > len(l) || !yield(binary.BigEndian.Uint16(l), l[portEntryLen:n:n]) {
				return
			}
			l = l[n:]
		}
	}
}

// Transports copies the list.
func (l PortList) Transports() []Transport {
	var out []Transport
	for port, name := range l.All() {
		out = append(out, Transport{Name: string(name), Port: port})
	}
	return out
}

// holds says whether the list is that many whole entries and nothing else.
func (l PortList) holds(count int) bool {
	for _, name := range l.All() {
		l = l[portEntryLen+len(name):]
		count--
	}
	return len(l) == 0 && count == 0
}
