package places

import "net/netip"

// Victim is the connection that has to go when there is no room for another, or none: the
// oldest refused one, or, if none is refused, the oldest unfinished one. A registered one
// never has to.
func (t *Table[C]) Victim() C {
	var none C
	if c := t.refused.oldest(); c != none {
		return c
	}
	return t.unfinished.oldest()
}

// RefusedVictim is the connection that has to go for one more refused one, or none: the
// oldest refused one.
func (t *Table[C]) RefusedVictim() (victim C) {
	if t.refused.len() >= t.limits.MaxRefused {
		victim = t.refused.oldest()
	}
	return victim
}

// SlowVictim is the connection that has to go because the replies that peers do not read
// take up too much, or none: the one that has waited longest, but not the given one.
func (t *Table[C]) SlowVictim(but C) C {
	var none C
	if t.Pending.Load() <= int64(t.limits.MaxPending) {
		return none
	}
	for c := t.unfinished.first; c != none; c = c.place().Next {
		if c != but && c.Unsent() > 0 {
			return c
		}
	}
	return none
}

// oldest is the one that has waited longest and is not being worked on. No more are worked
// on than there are threads, so it is soon found.
func (q *queue[C]) oldest() C {
	var none C
	for c := q.first; c != none; c = c.place().Next {
		if !c.place().Busy {
			return c
		}
	}
	return none
}

// full says which limit one more connection from an address would break.
func (t *Table[C]) full(from netip.Addr, waits bool) Limit {
	if t.limits.peerCounts(from) {
		p := t.peers[peerOf(from)]
		if p.conns >= t.limits.MaxConnsPerPeer || waits && p.unfinished >= t.limits.MaxUnfinishedPerPeer {
			return LimitPeer
		}
	}
	switch {
	case t.unfinished.len() >= t.limits.MaxUnfinished:
		return LimitUnfinished // who goes for it makes room in total too
	case t.Len() >= t.limits.MaxConns:
		return LimitConns
	}
	return LimitNone
}

// Admits says whether one more connection from an address may come: which limit it
// meets, and which connection has to go for it. One that does not wait, and may be
// answered at once, does not meet its peer's share of unfinished ones.
func (t *Table[C]) Admits(from netip.Addr, waits bool) (hit Limit, victim C, ok bool) {
	switch hit = t.full(from, waits); hit {
	case LimitPeer:
		return hit, victim, false
	case LimitUnfinished:
		victim = t.unfinished.oldest()
	case LimitConns:
		var none C
		if victim = t.Victim(); victim == none {
			return hit, victim, false
		}
	}
	return hit, victim, true
}

// AdmitsKept is Admits for a connection that is to be kept, which may have its place
// already. Of the kept ones only the refused can make room.
func (t *Table[C]) AdmitsKept(c C) (hit Limit, victim C, ok bool) {
	var none C
	switch {
	case int(t.registered.Load())+t.refused.len() >= t.limits.MaxKept:
		victim = t.refused.oldest()
	case !c.place().Counted && t.Len() >= t.limits.MaxConns:
		victim = t.Victim()
	default:
		return LimitNone, none, true
	}
	return LimitConns, victim, victim != none
}
