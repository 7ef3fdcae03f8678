package epmd

import (
	"net"
	"time"

	"github.com/goepmd/goepmd/epmd/session"
)

// limitHit counts and warns, before a connection is closed for the limit: see Stats. No
// lock may be held, since a logger may be slow, or ask the server for its figures.
func (s *state) limitHit(l limit) {
	switch l {
	case limitNone:
		return
	case limitPeer:
		s.counters.limitPeer.Add(1)
	case limitConns:
		s.counters.limitConns.Add(1)
	case limitUnfinished:
		s.counters.limitUnfinished.Add(1)
	case limitRefused:
		s.counters.limitRefused.Add(1)
	case limitPending:
		s.counters.limitPending.Add(1)
	}
	if s.limitWarnings.allow(time.Now()) {
		s.log.Warn("a limit is reached and connections are closed for it", "limit", l.String())
	}
}

// acceptFailed counts and warns; most likely there are no more files.
func (s *state) acceptFailed(where any, err error) {
	s.counters.acceptErrors.Add(1)
	if s.acceptWarnings.allow(time.Now()) {
		s.log.Warn("cannot accept; if files are short, raise the limit of open files", "address", where, "err", err)
	}
}

// deniedTo warns of a request that its peer may not make: somebody tries, or has been
// forgotten in a list.
func (s *state) deniedTo(remote net.Addr, res session.Result) {
	if s.denyWarnings.allow(time.Now()) {
		s.log.Warn("a request is denied", "request", res.Tag.String(), "remote", remote, "err", res.Err, "denied", s.counters.denied.Load())
	}
}

// idleEnd tells why the server ends.
func (s *state) idleEnd(after time.Duration) {
	s.log.Warn("ends, since no node has been registered for long", "exit_idle", after)
}
