package engine

import (
	"container/list"
	"sync"

	"github.com/goepmd/goepmd/registry"
)

// Line is the connections that wait for taken names: of each name in the order in which
// they came. Only the first of a name is woken, to try its registration again; who leaves
// wakes the next.
type Line struct {
	mu    sync.Mutex
	names map[string]*list.List // of *waiter
	at    map[registry.Owner]*list.Element
}

type waiter struct {
	name  string
	owner registry.Owner
	wake  func()
}

// NewLine is one in which nobody waits.
func NewLine() *Line {
	return &Line{names: make(map[string]*list.List), at: make(map[registry.Owner]*list.Element)}
}

// Waiting says how many wait for a name.
func (l *Line) Waiting(name []byte) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if of := l.names[string(name)]; of != nil {
		return of.Len()
	}
	return 0
}

// Join has a connection wait for a name, behind all others. If it is the first it is woken
// at once: the name may have become free since it was tried. wake must neither wait nor
// call the registry.
func (l *Line) Join(name []byte, o registry.Owner, wake func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &waiter{name: string(name), owner: o, wake: wake}
	of := l.names[w.name]
	if of == nil {
		of = list.New()
		l.names[w.name] = of
	}
	l.at[o] = of.PushBack(w)
	if of.Len() == 1 {
		wake()
	}
}

// Leave ends the wait of a connection, if it waits.
func (l *Line) Leave(o registry.Owner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.at[o]
	if at == nil {
		return
	}
	delete(l.at, o)
	name := at.Value.(*waiter).name
	of := l.names[name]
	first := of.Front() == at
	of.Remove(at)
	switch {
	case of.Len() == 0:
		delete(l.names, name)
	case first:
		l.wakeFirst(name)
	}
}

// First says whether a connection is the first of those who wait for its name.
func (l *Line) First(o registry.Owner) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.at[o]
	return at != nil && at.Prev() == nil
}

// Tell wakes the first of those who wait for a name, a registration of which has ended. It
// may be called by the registry. A nil Line has nobody who waits.
func (l *Line) Tell(e registry.Event) {
	if l == nil || e.Kind != registry.Unregistered {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wakeFirst(e.Node.Name)
}

// wakeFirst wakes the first of a name, if somebody waits for it; l.mu is held.
func (l *Line) wakeFirst(name string) {
	if of := l.names[name]; of != nil {
		of.Front().Value.(*waiter).wake()
	}
}
