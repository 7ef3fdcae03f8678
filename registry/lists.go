package registry

import (
	"slices"
	"sync/atomic"

	"github.com/goepmd/goepmd/wire"
)

// keptList is the body of a list reply for a daemon on the given port.
type keptList struct {
	port uint32
	body []byte
}

// Names is the body of the answer to a NAMES_REQ of a daemon on the given port:
// registered nodes, the most recent first. The bytes are shared and stay as they
// are: read them only.
func (r *Registry) Names(port uint32) []byte {
	return r.kept(&r.names, port, func(b []byte) []byte {
		b = slices.Grow(b, r.live.nameBytes+r.live.n*wire.NameLineOverhead)
		for c := r.live.first; c != nil; c = c.next {
			b = wire.AppendNameLine(b, c.node.Name, c.node.Port)
		}
		return b
	})
}

// Dump is the body of the answer to a DUMP_REQ of a daemon on the given port:
// registered nodes, the most recent first, then remembered names, the oldest
// first. The bytes are shared and stay as they are: read them only.
func (r *Registry) Dump(port uint32) []byte {
	return r.kept(&r.dump, port, func(b []byte) []byte {
		b = slices.Grow(b, r.live.nameBytes+r.old.nameBytes+(r.live.n+r.old.n)*wire.DumpLineOverhead)
		for c := r.live.first; c != nil; c = c.next {
			b = wire.AppendActiveLine(b, c.node.Name, c.node.Port, uint64(c.owner))
		}
		for c := r.old.first; c != nil; c = c.next {
			b = wire.AppendOldLine(b, c.node.Name, c.node.Port, uint64(c.owner))
		}
		return b
	})
}

// kept returns the list as it was kept, or makes and keeps it.
func (r *Registry) kept(at *atomic.Pointer[keptList], port uint32, lines func([]byte) []byte) []byte {
	if k := at.Load(); k != nil && k.port == port {
		return k.body
	}
	// Whoever changes the registry holds the lock for writing, so a list made
	// and stored under the lock for reading is never a stale one.
	r.mu.RLock()
	defer r.mu.RUnlock()
	body := wire.AppendListPort(nil, port)
	body = slices.Clip(lines(body))
	at.Store(&keptList{port, body})
	return body
}
