package registry

import "iter"

// walk is a look at the registered nodes that is under way.
type walk struct {
	next *record // nil at the end
	page []Entry
}

// Pages copies the registered nodes, the most recent first, in pages of at most size, and
// at least 1. Between two pages the registry is free, so that a look at very many nodes
// holds nobody up. A node that is registered from the first page to the last is given
// once, as it is when its page is copied; one that comes or goes meanwhile is given once
// or not at all: [Registry.Follow] tells of it. A page is good until the next.
func (r *Registry) Pages(size int) iter.Seq[[]Entry] {
	return func(yield func([]Entry) bool) {
		w := &walk{page: make([]Entry, max(size, 1))}
		r.enter(w)
		defer r.leave(w)
		for page := r.copyPage(w); len(page) > 0 && yield(page); {
			page = r.copyPage(w)
		}
	}
}

// enter begins a walk: from now on who takes a node out of the list sees to it.
func (r *Registry) enter(w *walk) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.next = r.live.first
	r.walks[w] = struct{}{}
}

func (r *Registry) leave(w *walk) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.walks, w)
}

// copyPage copies the next page; none is the end. It may move the walk under the
// lock for reading: only the holder of the one for writing looks at it besides.
func (r *Registry) copyPage(w *walk) []Entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	n := 0
	for ; n < len(w.page) && w.next != nil; n++ {
		w.page[n] = w.next.entry()
		w.next = w.next.next
	}
	return w.page[:n]
}

// stepOver has the walks go on behind a record that is about to leave the list; r.mu is
// held.
func (r *Registry) stepOver(c *record) {
	for w := range r.walks {
		if w.next == c {
			w.next = c.next
		}
	}
}
