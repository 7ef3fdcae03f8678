package registry

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/goepmd/goepmd/wire"
)

// DefaultRemember and DebugRemember are how many names OTP's epmd remembers:
// without any -d flag, and with one.
const (
	DefaultRemember = 1000
	DebugRemember   = 5
)

// Owner is whoever holds a registration: a connection. It is unique among
// those that hold one, and is shown as the file descriptor in a dump.
type Owner uint64

// Config is what a registry may be told. The zero value is OTP's.
type Config struct {
	// Now tells the time; nil is time.Now.
	Now func() time.Time
	// Remember is how many old names are kept before a new name takes over the
	// record of the oldest; zero is DefaultRemember, negative is none. More are
	// kept if more nodes than this go without a new name coming.
	Remember int
}

// Registry is the names of one daemon. Make it with [New].
type Registry struct {
	now      func() time.Time
	remember int

	mu          sync.RWMutex
	byName      map[string]*record // registered and remembered
	byOwner     map[Owner]*record  // the first of each owner's chain
	live        list               // registered, the most recent first
	old         list               // remembered, the oldest first
	seq         uint64
	subscribers map[*Subscription]struct{}

	// The kept lists; nil after a change.
	names, dump atomic.Pointer[keptList]
}

// New makes an empty registry.
func New(c Config) *Registry {
	r := &Registry{
		now:         c.Now,
		remember:    c.Remember,
		byName:      make(map[string]*record),
		byOwner:     make(map[Owner]*record),
		subscribers: make(map[*Subscription]struct{}),
	}
	if r.now == nil {
		r.now = time.Now
	}
	switch {
	case r.remember == 0:
		r.remember = DefaultRemember
	case r.remember < 0:
		r.remember = 0
	}
	return r
}

// Register registers a node for its owner and returns the creation to tell it.
// If it refuses, the error is a [Refusal] and nothing has changed.
func (r *Registry) Register(o Owner, n wire.Node) (uint32, error) {
	refusal := check(n.Name, n.Extra)
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.byName[n.Name]
	if refusal == 0 && c != nil && c.registered {
		refusal = RefusedTaken
	}
	if refusal != 0 {
		r.publish(Event{Kind: Refused, Owner: o, Node: n, Refusal: refusal})
		return 0, refusal
	}
	now := r.now()
	switch {
	case c != nil: // remembered
		r.old.remove(c)
		c.counter = nextCounter(c.counter)
	case r.old.n > r.remember:
		c = r.old.first
		r.old.remove(c)
		delete(r.byName, c.node.Name)
		r.byName[n.Name] = c
	default:
		c = &record{counter: firstCounter(now)}
		r.byName[n.Name] = c
	}
	c.node, c.owner, c.since, c.registered = n, o, now.UnixNano(), true
	c.sibling, r.byOwner[o] = r.byOwner[o], c
	r.live.pushFirst(c)
	r.changed()
	r.publish(Event{Kind: Registered, Owner: o, Node: n, Creation: c.creation()})
	return c.creation(), nil
}

// Release ends every registration of an owner, if it has any.
func (r *Registry) Release(o Owner, why Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.byOwner[o]
	if c == nil {
		return
	}
	delete(r.byOwner, o)
	r.changed() // before anybody is told
	for c != nil {
		next := c.sibling
		r.retire(c, why)
		c = next
	}
}

// Unregister ends the registration of a name, whoever holds it, and says who
// did: their connections are to be closed. Without such a name it returns none.
func (r *Registry) Unregister(name []byte, why Reason) []Owner {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.byName[string(name)]
	if c == nil || !c.registered {
		return nil
	}
	r.unchain(c)
	r.changed() // before anybody is told
	r.retire(c, why)
	return []Owner{c.owner}
}

// unchain takes a record out of its owner's chain.
func (r *Registry) unchain(c *record) {
	at := r.byOwner[c.owner]
	if at == c {
		if c.sibling == nil {
			delete(r.byOwner, c.owner)
		} else {
			r.byOwner[c.owner] = c.sibling
		}
		return
	}
	for at.sibling != c {
		at = at.sibling
	}
	at.sibling = c.sibling
}

// retire makes a registered record, out of its chain, a remembered one.
func (r *Registry) retire(c *record, why Reason) {
	r.live.remove(c)
	r.publish(Event{Kind: Unregistered, Owner: c.owner, Node: c.node, Creation: c.creation(), Reason: why})
	c.registered, c.sibling = false, nil
	c.node.Extra = "" // of an old name only port and owner are ever told
	r.old.pushLast(c)
}

// changed forgets the kept lists.
func (r *Registry) changed() {
	r.names.Store(nil)
	r.dump.Store(nil)
}

// Lookup finds a registered node. Names compare byte for byte.
func (r *Registry) Lookup(name []byte) (wire.Node, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c := r.byName[string(name)]
	if c == nil || !c.registered {
		return wire.Node{}, false
	}
	return c.node, true
}

// Holder says who holds the registration of a name.
func (r *Registry) Holder(name []byte) (Owner, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c := r.byName[string(name)]
	if c == nil || !c.registered {
		return 0, false
	}
	return c.owner, true
}

// Len is the number of registered nodes.
func (r *Registry) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.live.n
}
