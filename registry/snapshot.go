package registry

import (
	"time"

	"github.com/goepmd/goepmd/wire"
)

// Entry is one registered node, or one remembered name, at the moment of a
// snapshot.
type Entry struct {
	// Node is as its owner told it. Of a remembered name Extra is empty.
	Node wire.Node
	// Owner holds the registration, or held it: of a name with transports, that of
	// the first.
	Owner Owner
	// Transports are those of a name that has any, in the order of registration; of
	// a remembered one those that ended last. Node tells the first, and the type,
	// versions and extra field of the last registration.
	Transports []HeldTransport
	// Counter is the name's creation counter, Creation what the node was told
	// of it.
	Counter, Creation uint32
	// Since is when the node was last registered.
	Since time.Time
}

// HeldTransport is one transport of a name.
type HeldTransport struct {
	wire.Transport
	// Owner holds it, or held it.
	Owner Owner
	// Since is when it was registered.
	Since time.Time
	// Alive2 says that Register registered it, as ALIVE2_REQ asks: a connection that
	// did so takes no further requests.
	Alive2 bool
}

// Snapshot is a registry as it was at one moment.
type Snapshot struct {
	// Seq is the number of the last event before it.
	Seq uint64
	// Nodes are the registered nodes, the most recent first.
	Nodes []Entry
	// Old are the remembered names, the oldest first.
	Old []Entry
	// Floor is below the first counter of any name to come that is not remembered; zero
	// leaves that to the time alone. Where it is not zero, Gone is below it too.
	Floor uint32
	// Gone is the highest counter of the names that were forgotten, or whose record
	// another name took over.
	Gone uint32
	// LastOwner is the highest owner below LocalOwners that has registered anything, ever:
	// the next connection needs a number above it.
	LastOwner Owner
}

// Entry tells of a registered node what a snapshot would. Names compare byte for byte.
func (r *Registry) Entry(name string) (Entry, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c := r.byName[name]
	if c == nil || !c.registered {
		return Entry{}, false
	}
	return c.entry(), true
}

// Snapshot copies the registry as it is now.
func (r *Registry) Snapshot() Snapshot {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.snapshot()
}

// snapshot needs r.mu.
func (r *Registry) snapshot() Snapshot {
	s := Snapshot{
		Seq:   r.seq,
		Nodes: make([]Entry, 0, r.live.n),
		Old:   make([]Entry, 0, r.old.n),
		Floor: r.floor, Gone: r.gone, LastOwner: r.lastOwner,
	}
	for c := r.live.first; c != nil; c = c.next {
		s.Nodes = append(s.Nodes, c.entry())
	}
	for c := r.old.first; c != nil; c = c.next {
		s.Old = append(s.Old, c.entry())
	}
	return s
}
