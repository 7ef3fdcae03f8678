package epoll

import (
	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/registry"
)

// The low bits of an owner tell its slot, which is never 0; the others count who had
// the slot before.
const (
	slotBits  = engine.ShownBits
	slotMask  = 1<<slotBits - 1
	chunkSize = 1024
)

// slots are the connections of the epoll engine, in chunks, since an object for
// each costs more. An owner is a slot and its generation, so that what is said
// of one connection never reaches another in the same slot.
type slots struct {
	chunks []chunk
	room   int            // no chunk below this one has room
	spare  bool           // a chunk is in memory of which nothing is used
	first  registry.Owner // the generation that chunks begin with
}

type chunk struct {
	at    *[chunkSize]socket // nil: not in memory
	free  *socket            // the first of those that are not used
	used  int
	first registry.Owner // the generation to begin with when it is in memory again
}

// take gives a connection with an owner that was never given before, or nil if
// there are no more.
func (s *slots) take() *socket {
	for s.room < len(s.chunks) && s.chunks[s.room].used == chunkSize {
		s.room++
	}
	if s.room == len(s.chunks) {
		if s.room == slotMask/chunkSize {
			return nil
		}
		s.chunks = append(s.chunks, chunk{first: s.first})
	}
	k := &s.chunks[s.room]
	switch {
	case k.at == nil:
		k.fill(s.room)
	case k.used == 0:
		s.spare = false
	}
	k.used++
	c := k.free
	k.free, c.Next, c.inUse = c.Next, nil, true
	return c
}

// restore gives connections slots with the owners that they had in another server, which
// gave none above the last one; nor will these slots give one again. No slot may have been
// used. It says no if there cannot be such owners, and then has changed nothing.
func (s *slots) restore(owners []registry.Owner, last registry.Owner) bool {
	seen := make(map[registry.Owner]bool, len(owners))
	newest := last >> slotBits
	for _, o := range owners {
		at := o & slotMask
		if at == 0 || at > slotMask/chunkSize*chunkSize || seen[at] || o >= registry.LocalOwners {
			return false
		}
		seen[at] = true
		newest = max(newest, o>>slotBits)
	}
	if last > 0 || len(owners) > 0 {
		s.first = newest + 1
	}
	for _, o := range owners {
		at := int(o&slotMask) - 1
		for len(s.chunks) <= at/chunkSize {
			s.chunks = append(s.chunks, chunk{first: s.first})
		}
		k := &s.chunks[at/chunkSize]
		if k.at == nil {
			k.at = new([chunkSize]socket)
		}
		k.used++
		k.at[at%chunkSize].Owner, k.at[at%chunkSize].inUse = o, true
	}
	for n := range s.chunks {
		if s.chunks[n].at != nil {
			s.chunks[n].fill(n)
		}
	}
	return true
}

// fill makes the connections of a chunk that are not used.
func (k *chunk) fill(n int) {
	if k.at == nil {
		k.at = new([chunkSize]socket)
	}
	for j := chunkSize - 1; j >= 0; j-- {
		c := &k.at[j]
		if c.inUse {
			continue
		}
		c.Owner = ofConn(k.first<<slotBits | registry.Owner(n*chunkSize+j+1))
		c.Next, k.free = k.free, c
	}
}

// ofConn begins the generations again where those that connections can have end.
func ofConn(o registry.Owner) registry.Owner { return o &^ registry.LocalOwners }

// last is not below any owner that was given.
func (s *slots) last() registry.Owner {
	next := s.first // generation
	for i := range s.chunks {
		k := &s.chunks[i]
		next = max(next, k.first)
		for j := 0; k.at != nil && j < chunkSize; j++ {
			c := &k.at[j]
			if next = max(next, c.Owner>>slotBits); c.inUse {
				next = max(next, c.Owner>>slotBits+1)
			}
		}
	}
	if next == 0 {
		return 0
	}
	return next<<slotBits - 1
}

// find gives the connection of an owner, or nil if it is gone.
func (s *slots) find(o registry.Owner) *socket {
	at := int(o&slotMask) - 1
	if at < 0 || at/chunkSize >= len(s.chunks) {
		return nil
	}
	k := &s.chunks[at/chunkSize]
	if k.at == nil {
		return nil
	}
	if c := &k.at[at%chunkSize]; c.inUse && c.Owner == o {
		return c
	}
	return nil
}

// free takes a connection back. One chunk without connections stays in memory for those
// to come.
func (s *slots) free(c *socket) {
	n := (int(c.Owner&slotMask) - 1) / chunkSize
	k := &s.chunks[n]
	*c = socket{Place: places.Place[*socket]{Owner: ofConn(c.Owner + 1<<slotBits), Next: k.free}}
	k.free = c
	k.used--
	s.room = min(s.room, n)
	switch {
	case k.used > 0:
	case !s.spare:
		s.spare = true
	default:
		for j := range k.at {
			k.first = max(k.first, k.at[j].Owner>>slotBits)
		}
		k.at, k.free = nil, nil
	}
}

// all calls f for each connection, which f may free.
func (s *slots) all(f func(*socket)) {
	for i := range s.chunks {
		for j := 0; j < chunkSize && s.chunks[i].at != nil; j++ {
			if c := &s.chunks[i].at[j]; c.inUse {
				f(c)
			}
		}
	}
}
