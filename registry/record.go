package registry

import (
	"time"

	"github.com/goepmd/goepmd/wire"
)

// record is one name: registered while it has an owner, remembered after. It is
// a link of one of the registry's two lists, and of its owner's chain.
type record struct {
	name, extra     string
	port            uint16
	kind, protocol  uint8
	highest, lowest uint16
	counter         uint32
	registered      bool
	owner           Owner // of a name with transports: that of the first; likewise port
	since           int64 // Unix time in nanoseconds of the registration

	prev, next *record // in Registry.live or Registry.old
	sibling    *record // the next one of the same owner; nil with transports

	// several is nil for what ALIVE2_REQ registered: for nearly all, whose
	// records must be small.
	several *several
}

func (c *record) creation() uint32 { return creation(c.counter, c.highest) }

// node is what a lookup answers.
func (c *record) node() wire.Node {
	return wire.Node{
		Name: c.name, Port: c.port, Type: c.kind, Protocol: c.protocol,
		Highest: c.highest, Lowest: c.lowest, Extra: c.extra,
	}
}

// set is node the other way, but for the name's transports.
func (c *record) set(n wire.Node) {
	c.name, c.extra, c.kind, c.protocol = n.Name, n.Extra, n.Type, n.Protocol
	c.highest, c.lowest = n.Highest, n.Lowest
}

func (c *record) entry() Entry {
	e := Entry{
		Node: c.node(), Owner: c.owner, Counter: c.counter, Creation: c.creation(),
		Since: time.Unix(0, c.since),
	}
	if c.several != nil {
		e.Node.Transport = c.several.list[0].name
		e.Transports = c.several.entries()
	}
	return e
}

// list is a doubly linked list of records.
type list struct {
	first, last *record
	n           int // records
	nameBytes   int // length of all their names
}

func (l *list) pushFirst(c *record) {
	c.prev, c.next = nil, l.first
	if l.first != nil {
		l.first.prev = c
	} else {
		l.last = c
	}
	l.first = c
	l.n++
	l.nameBytes += len(c.name)
}

func (l *list) pushLast(c *record) {
	c.prev, c.next = l.last, nil
	if l.last != nil {
		l.last.next = c
	} else {
		l.first = c
	}
	l.last = c
	l.n++
	l.nameBytes += len(c.name)
}

func (l *list) remove(c *record) {
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		l.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		l.last = c.prev
	}
	c.prev, c.next = nil, nil
	l.n--
	l.nameBytes -= len(c.name)
}
