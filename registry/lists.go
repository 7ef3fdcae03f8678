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
	return r.kept(&r.names, port, func() []byte {
		b := wire.AppendListPort(nil, port)
		b = slices.Grow(b, r.live.nameBytes+r.live.n*wire.NameLineOverhead)
		for c := r.live.first; c != nil; c = c.next {
			b = wire.AppendNameLine(b, c.name, c.port)
		}
		return b
	})
}

// Dump is the body of the answer to a DUMP_REQ of a daemon on the given port:
// registered nodes, the most recent first, then remembered names, the oldest
// first. The bytes are shared and stay as they are: read them only.
func (r *Registry) Dump(port uint32) []byte {
	return r.kept(&r.dump, port, func() []byte {
		b := wire.AppendListPort(nil, port)
		b = slices.Grow(b, r.live.nameBytes+r.old.nameBytes+(r.live.n+r.old.n)*wire.DumpLineOverhead)
		for c := r.live.first; c != nil; c = c.next {
			b = wire.AppendActiveLine(b, c.name, c.port, r.fd(c.owner))
		}
		for c := r.old.first; c != nil; c = c.next {
			b = wire.AppendOldLine(b, c.name, c.port, r.fd(c.owner))
		}
		return b
	})
}

// Names3 is the answer to a NAMES3_REQ of a daemon on the given port, in blocks:
// registered nodes with their transports, the most recent name first. The bytes
// are shared and stay as they are: read them only.
func (r *Registry) Names3(port uint32) []byte {
	return r.kept3(&r.names3, port, func(l *wire.Blocks) {
		var of [wire.MaxTransports]wire.Transport
		for c := r.live.first; c != nil; c = c.next {
			l.Name(c.name, c.transports(of[:0]))
		}
	})
}

// Dump3 is the answer to a DUMP3_REQ of a daemon on the given port, in blocks:
// registered nodes, the most recent name first, then remembered names, the oldest
// first, with the transports that ended last. The bytes are shared and stay as they
// are: read them only.
func (r *Registry) Dump3(port uint32) []byte {
	return r.kept3(&r.dump3, port, func(l *wire.Blocks) {
		var of [wire.MaxTransports]wire.Transport
		for c := r.live.first; c != nil; c = c.next {
			l.Active(c.name, c.transports(of[:0]), r.fd(c.owner))
		}
		for c := r.old.first; c != nil; c = c.next {
			l.Old(c.name, c.transports(of[:0]), r.fd(c.owner))
		}
	})
}

// kept3 is kept for a list in blocks.
func (r *Registry) kept3(at *atomic.Pointer[keptList], port uint32, lines func(*wire.Blocks)) []byte {
	return r.kept(at, port, func() []byte {
		l := wire.AppendBlocks(nil, port)
		lines(&l)
		return l.End()
	})
}

// kept returns the list as it was kept, or makes and keeps it.
func (r *Registry) kept(at *atomic.Pointer[keptList], port uint32, list func() []byte) []byte {
	if k := at.Load(); k != nil && k.port == port {
		return k.body
	}
	// Whoever changes the registry holds the lock for writing, so a list made
	// and stored under the lock for reading is never a stale one.
	r.mu.RLock()
	defer r.mu.RUnlock()
	body := slices.Clip(list())
	at.Store(&keptList{port, body})
	return body
}
