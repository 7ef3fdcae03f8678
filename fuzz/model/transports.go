package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goepmd/goepmd/wire"
)

// Held is one transport of a name.
type Held struct {
	Name  string
	Port  uint16
	Owner uint64
	// Turn says which registration of all it was.
	Turn int
}

// The rules of transports, in the registry's words.
const (
	TransportName Rule = "transport_name" // more than 127 bytes, or a NUL
	Transports    Rule = "transports"     // more than 32 of a name
	HeldTooMany   Rule = "held"           // more than Names.MaxHeld of an owner
)

// RegisterTransport is Register for one transport of a node, the one that it names.
// If the name stands with other transports it keeps its counter.
func (m *Names) RegisterTransport(now int64, owner uint64, n wire.Node) Outcome {
	broken := Refuse(n)
	if len(n.Transport) > 127 || strings.Contains(n.Transport, "\x00") {
		broken = append(broken, TransportName)
	}
	if m.MaxHeld > 0 && len(m.heldBy(owner)) >= m.MaxHeld {
		broken = append(broken, HeldTooMany)
	}
	at := slices.IndexFunc(m.Live, named(n.Name))
	if at >= 0 {
		broken = append(broken, m.refuseTransport(m.Live[at], n.Transport)...)
	}
	if len(broken) > 0 {
		return Outcome{Broken: broken}
	}
	if at >= 0 {
		return m.addTransport(at, owner, n)
	}
	o := m.begin(now, Entry{Node: n})
	m.Live[0].Transports = []Held{m.held(owner, n)}
	m.Live[0].tellFirst()
	return o
}

// refuseTransport is what forbids one more transport of a name that stands.
func (m *Names) refuseTransport(e Entry, transport string) (broken []Rule) {
	if len(e.Transports) == 0 || slices.ContainsFunc(e.Transports, func(h Held) bool { return h.Name == transport }) {
		broken = append(broken, Taken)
	}
	if len(e.Transports) >= 32 {
		broken = append(broken, Transports)
	}
	return broken
}

func (m *Names) addTransport(at int, owner uint64, n wire.Node) Outcome {
	e := m.Live[at]
	e.Node = n
	e.Transports = append(slices.Clone(e.Transports), m.held(owner, n))
	e.tellFirst()
	m.Live[at] = e
	return Outcome{Origin: Joined, Counter: e.Counter, Creation: Creation(e.Counter, n.Highest)}
}

func (m *Names) held(owner uint64, n wire.Node) Held {
	m.turns++
	return Held{n.Transport, n.Port, owner, m.turns}
}

// tellFirst has an entry tell the first of its transports, for old requests.
func (e *Entry) tellFirst() {
	first := e.Transports[0]
	e.Owner, e.Node.Port, e.Node.Transport, e.Node.Protocol = first.Owner, first.Port, first.Name, 0
}

// heldBy is what an owner holds, as turns.
func (m *Names) heldBy(owner uint64) (turns []int) {
	for _, e := range m.Live {
		for _, h := range e.Transports {
			if h.Owner == owner {
				turns = append(turns, h.Turn)
			}
		}
	}
	return turns
}

// releaseTransports ends the transports of an owner: those of one name after those
// of another, beginning with the one that it registered last.
func (m *Names) releaseTransports(owner uint64) {
	for turns := m.heldBy(owner); len(turns) > 0; turns = m.heldBy(owner) {
		last := slices.Max(turns)
		at := slices.IndexFunc(m.Live, func(e Entry) bool {
			return slices.ContainsFunc(e.Transports, func(h Held) bool { return h.Turn == last })
		})
		e := m.Live[at]
		var left []Held
		for _, h := range e.Transports {
			if h.Owner != owner {
				left = append(left, h)
			}
		}
		if len(left) == 0 {
			m.unregister(at)
			continue
		}
		e.Transports = left
		e.tellFirst()
		m.Live[at] = e
	}
}

// owners are whoever holds an entry, the first of them first.
func (e Entry) owners() []uint64 {
	if len(e.Transports) == 0 {
		return []uint64{e.Owner}
	}
	var owners []uint64
	for _, h := range e.Transports {
		if !slices.Contains(owners, h.Owner) {
			owners = append(owners, h.Owner)
		}
	}
	return owners
}

// LookupTransports finds a registered node, and of its transports those that are
// asked for. None asked for finds every node.
func (m *Names) LookupTransports(name string, of []string) (e Entry, list []Held, found bool) {
	e, found = m.Lookup(name)
	switch {
	case !found || len(of) == 0:
		return e, nil, found
	case len(e.Transports) == 0:
		return e, []Held{{Port: e.Node.Port}}, true
	}
	for _, h := range e.Transports {
		if slices.Contains(of, h.Name) {
			list = append(list, h)
		}
	}
	return e, list, len(list) > 0
}

// ports is what lists tell of an entry's transports.
func (e Entry) ports() string {
	if len(e.Transports) == 0 {
		return fmt.Sprintf("%d#", e.Node.Port)
	}
	var texts []string
	for _, h := range e.Transports {
		texts = append(texts, fmt.Sprintf("%d#%s", h.Port, h.Name))
	}
	return strings.Join(texts, " ")
}

// Names3 is the answer to a NAMES3_REQ of a daemon on the given port.
func (m *Names) Names3(port uint16) string {
	var lines []string
	for _, e := range m.Live {
		lines = append(lines, fmt.Sprintf("name %s at port %s\n", e.Node.Name, e.ports()))
	}
	return blocks(port, lines)
}

// Dump3 is the answer to a DUMP3_REQ of a daemon on the given port.
func (m *Names) Dump3(port uint16) string {
	var lines []string
	for _, e := range m.Live {
		lines = append(lines, fmt.Sprintf("active name     <%s> at port %s, fd = %d\n", e.Node.Name, e.ports(), e.Owner))
	}
	for _, e := range m.Old {
		lines = append(lines, fmt.Sprintf("old/unused name <%s> at port %s, fd = %d\n", e.Node.Name, e.ports(), e.Owner))
	}
	return blocks(port, lines)
}

// blocks cuts lines into blocks of at most 16384 bytes: 2 of length, 1 that says
// whether more follow, in the first one 4 of the port, and as many lines as fit.
func blocks(port uint16, lines []string) string {
	bodies := []string{listHeader(port)}
	for _, line := range lines {
		if last := len(bodies) - 1; 3+len(bodies[last])+len(line) <= 16384 {
			bodies[last] += line
		} else {
			bodies = append(bodies, line)
		}
	}
	list := ""
	for i, body := range bodies {
		more := "\x01"
		if i == len(bodies)-1 {
			more = "\x00"
		}
		list += two(1+len(body)) + more + body
	}
	return list
}
