package engine

import (
	"slices"
	"sync"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// Locals are the registrations that the program itself makes, without a connection. They
// end with the server.
type Locals struct {
	registry *registry.Registry
	waiters  *Waiters // nil: nobody waits for a name

	mu    sync.Mutex
	last  registry.Owner
	ended bool
}

// NewLocals is none yet.
func NewLocals(r *registry.Registry, waiters *Waiters) *Locals {
	return &Locals{registry: r, waiters: waiters, last: registry.LocalOwners}
}

// Register registers a node for an owner that was never given before. A name for which a
// connection waits is taken. Its error is ErrClosed once the server has ended, or a
// registry.Refusal.
func (l *Locals) Register(n wire.Node) (o registry.Owner, creation uint32, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return 0, 0, ErrClosed
	}
	if l.waiters != nil && l.waiters.Waiting([]byte(n.Name)) > 0 {
		return 0, 0, registry.RefusedTaken
	}
	l.last++
	creation, err = l.registry.Register(l.last, n)
	return l.last, creation, err
}

// End ends all of them, the oldest first, and takes no more. It may be called again.
func (l *Locals) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.last == registry.LocalOwners { // there never were any
		return
	}
	for _, n := range slices.Backward(l.registry.Snapshot().Nodes) {
		for _, o := range n.Owners() {
			if o >= registry.LocalOwners {
				l.registry.Release(o, registry.ReasonShutdown)
			}
		}
	}
}

// EndIdle takes no more if no node is registered, whoever holds it, and says so. The server
// must end then.
func (l *Locals) EndIdle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.registry.Len() > 0 {
		return false
	}
	l.ended = true
	return true
}
