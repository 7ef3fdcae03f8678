package registry

import (
	"maps"
	"math"
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

// RememberBeyond is how many old names there may be beyond [Config].Remember, where OTP's
// epmd has no bound but that of its connections: these are more than it can have. The
// oldest are forgotten, so that a daemon gives back the memory for very many nodes.
const RememberBeyond = 1024

// DefaultMaxHeld is how many transports one owner may hold: those of several
// nodes, each of which has at most wire.MaxTransports.
const DefaultMaxHeld = 256

// Owner is whoever holds a registration: a connection, or the program that runs the daemon.
// It is unique among those that hold one.
type Owner uint64

// LocalOwners is the first of the owners that are no connections, but the program that runs
// the daemon. Snapshot.LastOwner does not count them.
const LocalOwners Owner = 1 << 63

// Config is what a registry may be told. The zero value is OTP's.
type Config struct {
	// Now tells the time; nil is time.Now.
	Now func() time.Time
	// Remember is how many old names are kept before a new name takes over the
	// record of the oldest; zero is DefaultRemember, negative is none. Up to RememberBeyond
	// more are kept if more nodes than this go without a new name coming.
	Remember int
	// OnEvent, if set, is told of each event before whoever caused it is answered,
	// and before the next one can happen: for a journal that must miss nothing. The
	// name is as it will be when all events of the same cause have been told. It must
	// return soon, and must not call the registry but through Inside.
	OnEvent func(Event, Inside)
	// FD is the number that dumps show for an owner; nil is the owner's own. OTP's
	// epmd shows the file descriptor of the connection.
	FD func(Owner) uint64
	// MaxHeld is how many transports one owner may hold; zero is DefaultMaxHeld,
	// negative is no limit.
	MaxHeld int
	// OneHolder keeps a name with transports for the owner that holds it: others that
	// would add one are refused, as RefusedTaken.
	OneHolder bool
}

// Registry is the names of one daemon. Make it with [New].
type Registry struct {
	now      func() time.Time
	remember int
	onEvent  func(Event, Inside)
	maxHeld  int
	alone    bool // Config.OneHolder
	fd       func(Owner) uint64

	mu          sync.RWMutex
	byName      map[string]*record // registered and remembered
	byOwner     map[Owner]*record  // the first of each owner's chain
	chains      map[Owner]chain    // the transports of each owner that holds any
	live        list               // registered, the most recent first
	old         list               // remembered, the oldest first
	most        int                // in byName since it was made: see shrink
	seq         uint64
	floor, gone uint32 // see Snapshot
	lastOwner   Owner  // likewise
	subscribers map[*Subscription]struct{}
	walks       map[*walk]struct{}

	registrations uint64
	ended         [NumReasons]uint64

	// The kept lists; nil after a change.
	names, dump, names3, dump3 atomic.Pointer[keptList]
}

// New makes an empty registry.
func New(c Config) *Registry {
	r := &Registry{
		now:         c.Now,
		remember:    c.Remember,
		onEvent:     c.OnEvent,
		maxHeld:     c.MaxHeld,
		alone:       c.OneHolder,
		fd:          c.FD,
		byName:      make(map[string]*record),
		byOwner:     make(map[Owner]*record),
		chains:      make(map[Owner]chain),
		subscribers: make(map[*Subscription]struct{}),
		walks:       make(map[*walk]struct{}),
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
	if r.fd == nil {
		r.fd = func(o Owner) uint64 { return uint64(o) }
	}
	switch {
	case r.maxHeld == 0:
		r.maxHeld = DefaultMaxHeld
	case r.maxHeld < 0:
		r.maxHeld = math.MaxInt
	}
	return r
}

// Register registers a node for its owner, as ALIVE2_REQ asks, and returns the
// creation to tell it. A name that has transports gets one more, without a name, unless
// OneHolder keeps it.
// If it refuses, the error is a [Refusal] and nothing has changed.
func (r *Registry) Register(o Owner, n wire.Node) (uint32, error) {
	return r.register(o, n, false)
}

// Try is Register, or RegisterTransport if transport is set, but that nobody is told when
// the name is taken: its caller is to try again.
func (r *Registry) Try(o Owner, n wire.Node, transport bool) (uint32, error) {
	if transport {
		return r.registerTransport(o, n, true)
	}
	return r.register(o, n, true)
}

// register is Register; if it is quiet, subscribers are not told of a name that is taken.
func (r *Registry) register(o Owner, n wire.Node, quiet bool) (uint32, error) {
	n.Transport = ""
	refusal := check(n.Name, n.Extra)
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.byName[n.Name]
	stands := c != nil && c.registered
	switch {
	case refusal != 0 || !stands:
	case c.several == nil || c.several.has("") || r.alone && !c.several.heldBy(o):
		refusal = RefusedTaken
	case len(c.several.list) >= wire.MaxTransports:
		refusal = RefusedTransports
	}
	if refusal != 0 {
		return r.refuse(o, n, refusal, quiet)
	}
	if stands {
		return r.add(c, o, n, true), nil
	}
	c = r.newLife(c, n)
	c.set(n)
	c.port, c.owner = n.Port, o
	c.sibling, r.byOwner[o] = r.byOwner[o], c
	r.noteOwner(o)
	r.changed()
	r.publish(Event{Kind: Registered, Owner: o, Node: n, Transports: 1, Creation: c.creation()})
	return c.creation(), nil
}

// refuse returns a refusal, and tells of it; if it is quiet, not that a name is taken.
func (r *Registry) refuse(o Owner, n wire.Node, why Refusal, quiet bool) (uint32, error) {
	if quiet && why == RefusedTaken {
		return 0, why
	}
	left := 0
	if c := r.byName[n.Name]; c != nil && c.registered {
		left = c.count()
	}
	r.publish(Event{Kind: Refused, Owner: o, Node: n, Transports: left, Refusal: why})
	return 0, why
}

// count is how many transports the record has: 1 of an ordinary node.
func (c *record) count() int {
	if c.several == nil {
		return 1
	}
	return len(c.several.list)
}

// noteOwner notes who has registered something.
func (r *Registry) noteOwner(o Owner) {
	if o < LocalOwners {
		r.lastOwner = max(r.lastOwner, o)
	}
}

// forget takes a remembered name out of memory.
func (r *Registry) forget(c *record) {
	r.old.remove(c)
	delete(r.byName, c.name)
	r.gone = max(r.gone, c.counter)
	r.shrink()
}

// shrinkFrom is how many names make maps that are worth making anew.
const shrinkFrom = 1 << 12

// shrink makes the maps anew when few are left of very many names: a map keeps the
// room that it once needed.
func (r *Registry) shrink() {
	if r.most < shrinkFrom || len(r.byName) > r.most/4 {
		return
	}
	r.byName, r.byOwner = copied(r.byName), copied(r.byOwner)
	r.most = len(r.byName)
}

func copied[K comparable](m map[K]*record) map[K]*record {
	c := make(map[K]*record, len(m))
	maps.Copy(c, m)
	return c
}

// changed forgets the kept lists.
func (r *Registry) changed() {
	r.names.Store(nil)
	r.dump.Store(nil)
	r.names3.Store(nil)
	r.dump3.Store(nil)
}

// Lookup finds a registered node; of one with several transports it tells the
// first. Names compare byte for byte.
func (r *Registry) Lookup(name []byte) (wire.Node, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c := r.byName[string(name)]
	if c == nil || !c.registered {
		return wire.Node{}, false
	}
	n := c.node()
	if c.several != nil {
		n.Transport = c.several.list[0].name
	}
	return n, true
}

// Holder says who holds the registration of a name: of one with several transports,
// the first.
func (r *Registry) Holder(name []byte) (Owner, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c := r.byName[string(name)]
	if c == nil || !c.registered {
		return 0, false
	}
	return c.owner, true
}

// LastOwner is that of Snapshot.
func (r *Registry) LastOwner() Owner {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.lastOwner
}

// Len is the number of registered nodes.
func (r *Registry) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.live.n
}
