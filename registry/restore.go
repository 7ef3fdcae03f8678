package registry

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/goepmd/goepmd/wire"
)

// Why [Registry.Restore] fails.
var (
	// ErrSnapshot: it is none that a registry can have been in.
	ErrSnapshot = errors.New("registry: not a snapshot of a registry")
	// ErrUsed: the registry has names already. Restore before it is used.
	ErrUsed = errors.New("registry: it has names already")
)

// Restore makes an empty registry go on where the one of a snapshot stood: the same
// names in the same order, with the same owners and counters. Whoever restores it
// must hold the connections of the owners, or release them. Events are numbered
// on from the snapshot's Seq; nobody is told of what is restored.
//
// Its errors are ErrUsed, and ErrSnapshot if a name comes twice or is none that could
// have been registered; then the registry is as empty as it was.
func (r *Registry) Restore(s Snapshot) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.byName) > 0 {
		return ErrUsed
	}
	if err := r.restore(s); err != nil {
		clear(r.byName)
		clear(r.byOwner)
		clear(r.chains)
		r.live, r.old, r.lastOwner = list{}, list{}, 0
		return err
	}
	r.seq, r.floor, r.gone, r.most = s.Seq, s.Floor, s.Gone, len(r.byName)
	r.noteOwner(s.LastOwner)
	r.registrations = uint64(r.live.n) // see Stats
	r.changed()
	return nil
}

func (r *Registry) restore(s Snapshot) error {
	var all []*transport
	for _, e := range slices.Backward(s.Nodes) { // the oldest first
		c, err := r.restoreEntry(e)
		if err != nil {
			return err
		}
		c.registered = true
		r.live.pushFirst(c)
		if c.several == nil {
			c.sibling, r.byOwner[e.Owner] = r.byOwner[e.Owner], c
		} else {
			all = append(all, c.several.list...)
		}
	}
	slices.SortStableFunc(all, func(a, b *transport) int { return cmp.Compare(a.since, b.since) })
	for _, h := range all {
		r.link(h)
	}
	for _, e := range s.Old {
		c, err := r.restoreEntry(e)
		if err != nil {
			return err
		}
		c.extra = ""
		r.old.pushLast(c)
	}
	return nil
}

// restoreEntry puts the record of an entry under its name.
func (r *Registry) restoreEntry(e Entry) (*record, error) {
	if err := Check(e.Node.Name, e.Node.Extra); err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrSnapshot, e.Node.Name, err)
	}
	if r.byName[e.Node.Name] != nil {
		return nil, fmt.Errorf("%w: %q comes twice", ErrSnapshot, e.Node.Name)
	}
	c := &record{port: e.Node.Port, owner: e.Owner, counter: e.Counter, since: e.Since.UnixNano()}
	c.set(e.Node)
	r.noteOwner(e.Owner)
	if len(e.Transports) > 0 {
		c.several = new(several)
		for _, t := range e.Transports {
			if !isTransport(t.Name) || c.several.has(t.Name) || len(c.several.list) == wire.MaxTransports {
				return nil, fmt.Errorf("%w: %q cannot have the transport %q", ErrSnapshot, e.Node.Name, t.Name)
			}
			c.several.list = append(c.several.list, &transport{
				record: c, name: t.Name, port: t.Port, owner: t.Owner, since: t.Since.UnixNano(), alive2: t.Alive2,
			})
			r.noteOwner(t.Owner)
		}
		c.first()
	}
	r.byName[e.Node.Name] = c
	return c, nil
}

// Owners are those that hold what the entry tells of, each once.
func (e Entry) Owners() []Owner {
	if len(e.Transports) == 0 {
		return []Owner{e.Owner}
	}
	var owners []Owner
	for _, t := range e.Transports {
		if !slices.Contains(owners, t.Owner) {
			owners = append(owners, t.Owner)
		}
	}
	return owners
}

// Inside is a look at a registry from [Config].OnEvent, which must not call the
// registry itself. It is of no use after that.
type Inside struct{ r *Registry }

// Snapshot copies the registry.
func (i Inside) Snapshot() Snapshot { return i.r.snapshot() }

// Entry tells of one name, and whether it is registered, or else remembered.
func (i Inside) Entry(name string) (e Entry, registered bool) {
	c := i.r.byName[name]
	if c == nil {
		return Entry{}, false // which no name is that an event told of
	}
	return c.entry(), c.registered
}
