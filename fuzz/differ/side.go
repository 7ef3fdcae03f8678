package differ

import (
	"fmt"
	"time"

	"github.com/goepmd/goepmd/wire"
)

// side is one daemon's part in a conversation.
type side struct {
	target Target
	links  [MaxConns]*link
	names  normal
}

// link is one connection and what has happened on it.
type link struct {
	conn   Conn
	sent   []byte // the first packet is enough, unless it is an ALIVE3_REQ
	got    []byte
	closed bool // by the daemon
	reset  bool // by the daemon, which left something unread
	fresh  bool // something has happened that was not compared yet
	told   int  // how much of got was written into a scenario
}

// apply does what a step says, and says how many connections it made.
func (s *side) apply(step Step) (dialled int64, err error) {
	l := s.links[step.Conn]
	if step.Kind == Send || step.Kind == Open {
		if l == nil || l.closed {
			c, err := s.target.Dial()
			if err != nil {
				return 0, err
			}
			l = &link{conn: c}
			s.links[step.Conn] = l
			dialled = 1
		}
		if step.Kind == Open {
			return dialled, nil
		}
		l.add(step.Bytes)
		return dialled, l.conn.Send(step.Bytes)
	}
	if l == nil || l.closed {
		return 0, nil
	}
	switch step.Kind {
	case HalfClose:
		return 0, l.conn.HalfClose()
	case Close:
		s.links[step.Conn] = nil
		return 0, l.conn.Close()
	case Reset:
		s.links[step.Conn] = nil
		return 0, l.conn.Reset()
	}
	return 0, fmt.Errorf("unknown kind of step %v", step.Kind)
}

// add notes what is sent, as far as it is needed to read the answer.
func (l *link) add(b []byte) {
	if room := wire.MaxPacketLen + 1 - len(l.sent); l.tag() != wire.TagAlive3Req {
		b = b[:max(0, min(room, len(b)))]
	}
	l.sent = append(l.sent, b...)
}

// recv takes in what has happened on the connection, and lets go of it at its end.
func (l *link) recv(wait time.Duration) error {
	if l.closed {
		return nil
	}
	before := len(l.got)
	var end End
	var err error
	l.got, end, err = l.conn.Recv(l.got, wait)
	if err != nil {
		return err
	}
	if end != StillOpen {
		l.closed, l.reset = true, end == WasReset
		err = l.conn.Close()
	}
	l.fresh = l.fresh || l.closed || len(l.got) > before
	return err
}

// tag is that of the request that was sent, 0 if it is not whole.
func (l *link) tag() wire.Tag {
	n, err := wire.PacketLen(l.sent)
	if err != nil || n == 0 || len(l.sent) < n {
		return 0
	}
	return wire.Tag(l.sent[wire.HeaderLen])
}

// unread says that the daemon may have left something unread: bytes behind the first packet,
// or behind what it reads at once. When it closes the connection then, it resets it, and the
// end of what it has sent may be lost.
func (l *link) unread() bool {
	n, err := wire.PacketLen(l.sent)
	if err != nil || n == 0 {
		n = wire.MaxPacketLen
	}
	return len(l.sent) > n
}

// kept says that the connection is one that the daemon holds open.
func (l *link) kept() bool {
	tag := l.tag()
	return !l.closed && len(l.got) > 0 && (tag == wire.TagAlive2Req || tag == wire.TagAlive3Req)
}

// tell is what has happened on a connection, for reading.
func (s *side) tell(slot int) string {
	l := s.links[slot]
	text := quote(s.names.reply(l.sent, l.got))
	switch {
	case l.reset:
		return text + ", reset"
	case l.closed:
		return text + ", closed"
	}
	return text + ", open"
}
