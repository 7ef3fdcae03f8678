package engine

import (
	"container/list"
	"sync"

	"github.com/goepmd/goepmd/registry"
)

// Waiters are the connections that wait for taken names: of each name in the order in which
// they came. Only the first of a name is woken, to try its registration again; who leaves
// wakes the next.
type Waiters struct {
	mu    sync.Mutex
	names map[string]*list.List // of *waiter
	at    map[registry.Owner]*list.Element
}

type waiter struct {
	name string
	wake func()
}

// NewWaiters are none yet.
func NewWaiters() *Waiters {
	return &Waiters{names: make(map[string]*list.List), at: make(map[registry.Owner]*list.Element)}
}

// Waiting says how many wait for a name.
func (w *Waiters) Waiting(name []byte) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if of := w.names[string(name)]; of != nil {
		return of.Len()
	}
	return 0
}

// Join has a connection wait for a name, behind all others. It is woken at once: the name may
// have become free since it was tried, and the connection or the server may have to end. wake
// must neither wait nor call the registry.
func (w *Waiters) Join(name []byte, o registry.Owner, wake func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.names[string(name)]
	if of == nil {
		of = list.New()
		w.names[string(name)] = of
	}
	w.at[o] = of.PushBack(&waiter{name: string(name), wake: wake})
	wake()
}

// Leave ends the wait of a connection, if it waits.
func (w *Waiters) Leave(o registry.Owner) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.at[o]
	if at == nil {
		return
	}
	delete(w.at, o)
	name := at.Value.(*waiter).name
	of := w.names[name]
	first := of.Front() == at
	of.Remove(at)
	switch {
	case of.Len() == 0:
		delete(w.names, name)
	case first:
		w.wakeFirst(name)
	}
}

// First says whether a connection is the first of those who wait for its name.
func (w *Waiters) First(o registry.Owner) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.at[o]
	return at != nil && at.Prev() == nil
}

// Tell wakes the first of those who wait for a name, a registration of which has ended. It
// may be called by the registry. A nil Waiters has none.
func (w *Waiters) Tell(e registry.Event) {
	if w == nil || e.Kind != registry.Unregistered {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wakeFirst(e.Node.Name)
}

// wakeFirst wakes the first of a name, if somebody waits for it; w.mu is held.
func (w *Waiters) wakeFirst(name string) {
	if of := w.names[name]; of != nil {
		of.Front().Value.(*waiter).wake()
	}
}
