package registry

import (
	"time"

	"github.com/goepmd/goepmd/wire"
)

// record is one name: registered while it has an owner, remembered after. It is
// a link of one of the registry's two lists, and of its owner's chain.
type record struct {
	node       wire.Node
	owner      Owner
	since      int64 // Unix time in nanoseconds of the registration
	counter    uint32
	registered bool

	prev, next *record // in Registry.live or Registry.old
	sibling    *record // the next one of the same owner
}

func (c *record) creation() uint32 { return creation(c.counter, c.node.Highest) }

func (c *record) entry() Entry {
	return Entry{
		Node: c.node, Owner: c.owner, Counter: c.counter, Creation: c.creation(),
		Since: time.Unix(0, c.since),
	}
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
	l.nameBytes += len(c.node.Name)
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
	l.nameBytes += len(c.node.Name)
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
	l.nameBytes -= len(c.node.Name)
}
