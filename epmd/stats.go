package epmd

import (
	"sync/atomic"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// Stats are the figures of a server at one moment. Those without another word
// count from its start and never fall. Why a connection is closed is counted before it is
// closed, and a request before it is answered: a client that has seen either finds it in
// the figures.
type Stats struct {
	// Accepted counts connections, and Conns says how many are open now: of
	// them, Unfinished have not been answered in full, Registered hold a
	// registration (or have lost it to a STOP_REQ just now), and Refused are
	// kept open after a refusal.
	Accepted   uint64
	Conns      int
	Unfinished int
	Registered int
	Refused    int

	// Requests that were complete, by kind, answered or not. Other counts tags
	// that are none.
	Alive2, PortPlease2, Names, Dump, Kill, Stop, Other uint64
	// Outcomes counts the same requests by what became of them: by tag, and under 0
	// those with tags that are none, then by session.Outcome.
	Outcomes map[wire.Tag][session.NumOutcomes]uint64
	// Latencies count the time from the acceptance of a connection, or the arrival
	// of what completes its request, until the reply is written in full, if
	// MeasureLatency is set.
	Latencies Latencies

	// Registry is the figures of the registry: nodes, and why they went.
	Registry registry.Stats

	// The same for the requests of Server.MultiTransport; without it they are among Other.
	Alive3, PortPlease3, Names3, Dump3, Kill3, Stop3 uint64

	// Refusals counts registrations that were refused, by registry.Refusal.
	Refusals [registry.NumRefusals]uint64
	// Faults counts connections that were closed for bytes that are no request,
	// by wire.Fault.
	Faults [wire.NumFaults]uint64
	// Denied counts requests that the peer may not make: it is neither local nor in
	// a network of the list, Server.Allow said no, the relaxed check is off, or
	// Server.RefuseKill is what keeps a KILL_REQ from ending the server.
	Denied uint64
	// HookPanics counts the panics of the server's hooks: see Server.
	HookPanics uint64
	// Partial counts connections that ended in the middle of a request, TimedOut
	// those that did not complete theirs in time.
	Partial, TimedOut uint64
	// WriteErrors counts replies that could not be written, or not in time.
	WriteErrors uint64

	// AcceptErrors counts failures to accept, such as for want of files, after which a
	// listener was asked again.
	AcceptErrors uint64
	// Connections that were closed for a limit: see the fields of the same name
	// of Server; LimitPending is for MaxPendingBytes.
	LimitConns, LimitPeer, LimitUnfinished, LimitRefused, LimitPending uint64
}

// NumLatencies is the number of buckets of [Latencies].
const NumLatencies = report.NumBuckets

// Latencies count durations in buckets that double: coarse, and cheap to count.
type Latencies struct {
	// Buckets[i] counts those of at most LatencyBound(i) that are in no bucket
	// before it; the last one has no bound.
	Buckets [NumLatencies]uint64
	// Sum is all of them together.
	Sum time.Duration
}

// LatencyBound is the longest duration that is counted in a bucket of [Latencies]
// other than the last: 1 µs in bucket 0, 8.4 s in bucket NumLatencies-2.
func LatencyBound(bucket int) time.Duration { return time.Microsecond << bucket }

// Stats reads the figures. It is cheap enough to be called often.
func (s *Server) Stats() Stats {
	st := s.init()
	out := statsOf(&st.report.Counters, s.dialect())
	out.Registry = st.config.Registry.Stats()
	e, _ := st.engine.get()
	g := e.Count()
	out.Conns, out.Unfinished, out.Registered, out.Refused = g.Conns, g.Unfinished, g.Registered, g.Refused
	return out
}

// statsOf reads the counters of a server that speaks a dialect.
func statsOf(c *report.Counters, d wire.Dialect) Stats {
	s := Stats{
		Accepted:     c.Accepted.Load(),
		Denied:       c.Denied.Load(),
		Partial:      c.Partial.Load(),
		TimedOut:     c.TimedOut.Load(),
		WriteErrors:  c.WriteErrors.Load(),
		HookPanics:   c.HookPanics.Load(),
		AcceptErrors: c.AcceptErrors.Load(),
		LimitConns:   c.LimitConns.Load(), LimitPeer: c.LimitPeer.Load(),
		LimitUnfinished: c.LimitUnfinished.Load(), LimitRefused: c.LimitRefused.Load(),
		LimitPending: c.LimitPending.Load(),
		Outcomes:     make(map[wire.Tag][session.NumOutcomes]uint64),
	}
	s.Latencies.Buckets, s.Latencies.Sum = c.Latencies.Read()
	for tag := range c.Requests {
		n := s.countOutcomes(wire.Tag(tag), d, &c.Requests[tag])
		if at := s.request(wire.Tag(tag)); at != nil && d.Knows(wire.Tag(tag)) {
			*at = n
		} else {
			s.Other += n
		}
	}
	for i := range c.Refusals {
		s.Refusals[i] = c.Refusals[i].Load()
	}
	for i := range c.Faults {
		s.Faults[i] = c.Faults[i].Load()
	}
	return s
}

// request is where requests with a tag are counted; nil if it is none.
func (s *Stats) request(t wire.Tag) *uint64 {
	switch t {
	case wire.TagAlive2Req:
		return &s.Alive2
	case wire.TagPortPlease2Req:
		return &s.PortPlease2
	case wire.TagNamesReq:
		return &s.Names
	case wire.TagDumpReq:
		return &s.Dump
	case wire.TagKillReq:
		return &s.Kill
	case wire.TagStopReq:
		return &s.Stop
	case wire.TagAlive3Req:
		return &s.Alive3
	case wire.TagPortPlease3Req:
		return &s.PortPlease3
	case wire.TagNames3Req:
		return &s.Names3
	case wire.TagDump3Req:
		return &s.Dump3
	case wire.TagKill3Req:
		return &s.Kill3
	case wire.TagStop3Req:
		return &s.Stop3
	}
	return nil
}

// countOutcomes adds the requests with a tag to the outcomes, and says how many there
// are.
func (s *Stats) countOutcomes(tag wire.Tag, d wire.Dialect, counts *[session.NumOutcomes]atomic.Uint64) (total uint64) {
	var of [session.NumOutcomes]uint64
	for o := range counts {
		of[o] = counts[o].Load()
		total += of[o]
	}
	switch {
	case d.Knows(tag):
		s.Outcomes[tag] = of
	case total > 0:
		sum := s.Outcomes[0]
		for o, n := range of {
			sum[o] += n
		}
		s.Outcomes[0] = sum
	}
	return total
}
