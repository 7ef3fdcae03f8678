package registry

import "fmt"

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
	if chained != r.live.n {
		return fmt.Errorf("%d records in chains, %d registered", chained, r.live.n)
	}
	return nil
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
