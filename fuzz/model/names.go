package model

import (
	"fmt"
	"slices"

	"github.com/goepmd/goepmd/wire"
)

// Entry is one name, registered or remembered.
type Entry struct {
	// Node is as it was registered last.
	Node wire.Node
	// Owner is the connection that holds the name, or held it last.
	Owner uint64
	// Counter is the name's creation counter, all 32 bits.
	Counter uint32
	// Transports are those of a name that has any, in the order of registration: the
	// owner, the port and the transport above are the first one's. Of a remembered name they
	// are those that ended last.
	Transports []Held
}

// Names is the names of one daemon. The zero value is a daemon that has just
// started and remembers none.
type Names struct {
	// Remember is the border: when more old names than this are remembered, a new
	// one takes over the record of the oldest.
	Remember int
	// MaxHeld is how many transports an owner may hold; 0 is any number.
	MaxHeld int
	// Live are the registered nodes, the most recent first.
	Live []Entry
	// Old are the remembered names, the oldest first.
	Old []Entry

	turns int // registrations of transports
}

// Origin says where the counter of a registration comes from.
type Origin string

// The origins.
const (
	Fresh    Origin = "fresh"     // the time, for a name never seen
	Returned Origin = "returned"  // the name's own, one higher
	TookOver Origin = "took over" // the oldest remembered name's, as it stood
	Joined   Origin = "joined"    // that of the name, which has other transports
)

// Outcome is what became of a registration.
type Outcome struct {
	// Broken are the rules that refuse it, all of them; none if it was registered.
	Broken []Rule
	// Origin, Counter and Creation are set if it was registered. Creation is what
	// the node is told of the counter.
	Origin            Origin
	Counter, Creation uint32
}

// Register registers a node for its owner at a Unix time in seconds, or refuses it
// and changes nothing. A name that has transports gets one more, without a name.
func (m *Names) Register(now int64, owner uint64, n wire.Node) Outcome {
	n.Transport = ""
	broken := Refuse(n)
	at := slices.IndexFunc(m.Live, named(n.Name))
	if at >= 0 {
		broken = append(broken, m.refuseTransport(m.Live[at], "")...)
	}
	switch {
	case len(broken) > 0:
		return Outcome{Broken: broken}
	case at >= 0:
		return m.addTransport(at, owner, n)
	}
	return m.begin(now, Entry{Node: n, Owner: owner})
}

// begin registers a name that is free.
func (m *Names) begin(now int64, e Entry) Outcome {
	n := e.Node
	var from Origin
	at := slices.IndexFunc(m.Old, named(n.Name))
	switch {
	case at >= 0:
		from, e.Counter = Returned, plusOne(m.Old[at].Counter)
		m.Old = slices.Delete(m.Old, at, at+1)
	case len(m.Old) > m.Remember:
		from, e.Counter = TookOver, m.Old[0].Counter
		m.Old = slices.Delete(m.Old, 0, 1)
	default:
		from, e.Counter = Fresh, plusOne(uint32(now))
	}
	m.Live = slices.Insert(m.Live, 0, e)
	return Outcome{Origin: from, Counter: e.Counter, Creation: Creation(e.Counter, n.Highest)}
}

// plusOne is never below 4.
func plusOne(counter uint32) uint32 {
	counter++
	if counter < 4 {
		counter = 4
	}
	return counter
}

// Creation is what a node of a highest version is told of a counter.
func Creation(counter uint32, highest uint16) uint32 {
	if highest >= 6 {
		return counter
	}
	return counter%3 + 1
}

func named(name string) func(Entry) bool {
	return func(e Entry) bool { return e.Node.Name == name }
}

// Lookup finds a registered node.
func (m *Names) Lookup(name string) (Entry, bool) {
	at := slices.IndexFunc(m.Live, named(name))
	if at < 0 {
		return Entry{}, false
	}
	return m.Live[at], true
}

// Holds says whether an owner has registered anything that still stands.
func (m *Names) Holds(owner uint64) bool {
	return slices.ContainsFunc(m.Live, func(e Entry) bool { return slices.Contains(e.owners(), owner) })
}

// Release ends what an owner has registered. A connection of EPMD holds one name
// at most, but for transports; of several names the most recent goes first, and
// transports last.
func (m *Names) Release(owner uint64) {
	for at := 0; at < len(m.Live); {
		if e := m.Live[at]; len(e.Transports) == 0 && e.Owner == owner {
			m.unregister(at)
		} else {
			at++
		}
	}
	m.releaseTransports(owner)
}

// Stop ends the registration of a name by force, and says who held it: nobody if it is
// not registered. With transports end all those of their owners.
func (m *Names) Stop(name string) (owners []uint64) {
	at := slices.IndexFunc(m.Live, named(name))
	if at < 0 {
		return nil
	}
	e := m.Live[at]
	m.unregister(at)
	if len(e.Transports) > 0 {
		for _, o := range e.owners() {
			m.releaseTransports(o)
		}
	}
	return e.owners()
}

func (m *Names) unregister(at int) {
	m.Old = append(m.Old, m.Live[at])
	m.Live = slices.Delete(m.Live, at, at+1)
}

// Names is the answer to a NAMES_REQ of a daemon on the given port.
func (m *Names) Names(port uint16) string {
	s := listHeader(port)
	for _, e := range m.Live {
		s += fmt.Sprintf("name %s at port %d\n", e.Node.Name, e.Node.Port)
	}
	return s
}

// Dump is the answer to a DUMP_REQ of a daemon on the given port. The owners stand
// where OTP's epmd tells file descriptors.
func (m *Names) Dump(port uint16) string {
	s := listHeader(port)
	for _, e := range m.Live {
		s += fmt.Sprintf("active name     <%s> at port %d, fd = %d\n\x00", e.Node.Name, e.Node.Port, e.Owner)
	}
	for _, e := range m.Old {
		s += fmt.Sprintf("old/unused name <%s>, port = %d, fd = %d \n\x00", e.Node.Name, e.Node.Port, e.Owner)
	}
	return s
}

// listHeader is the port in 32 bits.
func listHeader(port uint16) string {
	return string([]byte{0, 0, byte(port >> 8), byte(port)})
}

// Clone is a copy that shares nothing with the original.
func (m *Names) Clone() Names {
	c := *m
	c.Live, c.Old = slices.Clone(m.Live), slices.Clone(m.Old)
	return c
}
