package registry

import (
	"fmt"
	"unsafe"
)

// Verify checks what must hold between the maps, the lists and the chains
// whenever nobody holds the lock.
func (r *Registry) Verify() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if err := r.verifyList(&r.live, true); err != nil {
		return fmt.Errorf("registered: %w", err)
	}
	if err := r.verifyList(&r.old, false); err != nil {
		return fmt.Errorf("remembered: %w", err)
	}
	if len(r.byName) != r.live.n+r.old.n {
		return fmt.Errorf("%d names for %d+%d records", len(r.byName), r.live.n, r.old.n)
	}
	for w := range r.walks {
		if w.next != nil && !w.next.registered {
			return fmt.Errorf("a walk goes on with %q, which is not registered", w.next.name)
		}
	}
	chained := 0
	for o, c := range r.byOwner {
		if c == nil {
			return fmt.Errorf("owner %d has an empty chain", o)
		}
		for ; c != nil; c = c.sibling {
			if !c.registered || c.owner != o {
				return fmt.Errorf("%q (owner %d) is in the chain of owner %d", c.name, c.owner, o)
			}
			if chained++; chained > r.live.n {
				return fmt.Errorf("more records in chains than the %d registered", r.live.n)
			}
		}
	}
	several, err := r.verifySeveral()
	if err == nil && chained+several != r.live.n {
		err = fmt.Errorf("%d records in chains, %d with transports, %d registered", chained, several, r.live.n)
	}
	return err
}

// verifySeveral checks the chains of transports, and says how many names have any.
func (r *Registry) verifySeveral() (names int, err error) {
	standing := make(map[*transport]bool)
	for c := r.live.first; c != nil; c = c.next {
		if c.several == nil {
			continue
		}
		names++
		if len(c.several.list) == 0 || c.sibling != nil {
			return 0, fmt.Errorf("%q has no transports, or is in an owner's chain", c.name)
		}
		if first := c.several.list[0]; c.owner != first.owner || c.port != first.port || c.protocol != 0 {
			return 0, fmt.Errorf("%q does not tell its first transport", c.name)
		}
		for _, h := range c.several.list {
			if h.record != c || standing[h] {
				return 0, fmt.Errorf("%q has a transport of another", c.name)
			}
			standing[h] = true
		}
	}
	chained := 0
	for o, k := range r.chains {
		n := 0
		var last *transport
		for h := k.first; h != nil; last, h = h, h.next {
			if h.owner != o || h.prev != last || !standing[h] {
				return 0, fmt.Errorf("owner %d has a wrong chain", o)
			}
			n++
		}
		if n != k.n || n == 0 {
			return 0, fmt.Errorf("owner %d holds %d transports, kept %d", o, n, k.n)
		}
		chained += n
	}
	if chained != len(standing) {
		return 0, fmt.Errorf("%d transports in chains, %d registered", chained, len(standing))
	}
	return names, nil
}

func (r *Registry) verifyList(l *list, registered bool) error {
	n, nameBytes := 0, 0
	var last *record
	for c := l.first; c != nil; last, c = c, c.next {
		switch {
		case c.prev != last:
			return fmt.Errorf("%q has a wrong predecessor", c.name)
		case c.registered != registered:
			return fmt.Errorf("%q is in the wrong list", c.name)
		case r.byName[c.name] != c:
			return fmt.Errorf("%q is not found by its name", c.name)
		}
		if !registered && (c.sibling != nil || c.extra != "") {
			return fmt.Errorf("%q is remembered with more than its name", c.name)
		}
		n++
		nameBytes += len(c.name)
	}
	if last != l.last || n != l.n || nameBytes != l.nameBytes {
		return fmt.Errorf("counted %d records with %d bytes of names, kept %d with %d", n, nameBytes, l.n, l.nameBytes)
	}
	return nil
}

// Walks is how many looks at the pages are under way.
func (r *Registry) Walks() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.walks)
}

// Most is how many names there have been since the maps were made.
func (r *Registry) Most() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.most
}

// RecordSize is what an ordinary node costs, besides its name.
const RecordSize = unsafe.Sizeof(record{})
