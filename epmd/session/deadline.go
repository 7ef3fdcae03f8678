package session

import "time"

// Deadline is when the connection is to be closed if its request is not complete; zero is
// never. A connection has Daemon.PacketTimeout for its first request: from its accept, or,
// with TimeoutRestarts, from the last chunk of it. There is no deadline for a complete
// request that waits for a taken name, for a connection that is kept, nor for a further
// ALIVE3_REQ on one. What comes after the request, and the end of the daemon, which leaves
// silent connections less, are the engine's to bound.
func (s *Session) Deadline() time.Time { return s.deadline }

// Restarts says whether a chunk that does not complete the request starts its time anew.
// It is for engines with time-outs of their own.
func (s *Session) Restarts() bool { return s.daemon.TimeoutRestarts && s.phase == reading && !s.waits }

func (s *Session) startClock(now time.Time) {
	if s.daemon.PacketTimeout > 0 {
		s.deadline = now.Add(s.daemon.PacketTimeout)
	}
}
