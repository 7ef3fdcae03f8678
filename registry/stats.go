package registry

// Stats are the figures of a registry at one moment.
type Stats struct {
	// Seq is the number of the last event.
	Seq uint64
	// Nodes are registered now, Remembered are the names of nodes gone by.
	Nodes, Remembered int
	// Registrations counts those that were made since the registry's start, or were
	// restored, Ended those that have ended, by Reason (under 0 for reasons that are
	// none): the rest are Nodes.
	Registrations uint64
	Ended         [NumReasons]uint64
}

// Stats reads the figures.
func (r *Registry) Stats() Stats {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return Stats{
		Seq:   r.seq,
		Nodes: r.live.n, Remembered: r.old.n,
		Registrations: r.registrations, Ended: r.ended,
	}
}

// countEnd needs r.mu.
func (r *Registry) countEnd(why Reason) {
	if int(why) >= len(r.ended) {
		why = 0
	}
	r.ended[why]++
}
