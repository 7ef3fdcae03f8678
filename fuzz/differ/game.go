package differ

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/goepmd/goepmd/wire"
)

// game is one conversation with both daemons.
type game struct {
	conv  Conversation
	at    int // steps that were played
	slot  int // the connection of the last one
	sides [2]side
	diff  *Difference
	ended bool // the daemons have

	settle time.Duration
}

// differ notes the first difference.
func (g *game) differ(what, a, b string) {
	if g.diff == nil {
		g.diff = &Difference{Conversation: g.conv, Step: g.at, What: what, A: a, B: b}
	}
}

// next is the next step. After those of the conversation, each connection that is
// kept is ended by the daemon, for a byte that it is sent, or if it takes more than that,
// for its end; so it is known when it has been, and both daemons end them in the same
// order.
func (g *game) next() (s Step, more bool) {
	if g.diff != nil || g.ended {
		return s, false
	}
	if g.at < len(g.conv.Steps) {
		s = g.conv.Steps[g.at]
		g.at++
		g.slot = s.Conn
		return s, true
	}
	for slot, l := range g.sides[0].links {
		if l != nil && l.kept() {
			g.at++
			g.slot = slot
			if l.tag() == wire.TagAlive3Req {
				return Step{Conn: slot, Kind: HalfClose}, true
			}
			return Step{Conn: slot, Kind: Send, Bytes: []byte{0}}, true
		}
	}
	return s, false
}

// kills says that the last step completed a KILL_REQ or KILL3_REQ.
func (g *game) kills() bool {
	if g == nil || g.at > len(g.conv.Steps) || g.conv.Steps[g.at-1].Kind != Send {
		return false
	}
	l := g.sides[0].links[g.slot]
	return l != nil && (l.tag() == wire.TagKillReq || l.tag() == wire.TagKill3Req)
}

// compare looks until both sides agree, or for as long as it takes to be sure that they
// do not.
func (g *game) compare() error {
	if g.diff != nil || g.ended {
		return nil
	}
	if g.at > len(g.conv.Steps) {
		if err := g.awaitEnd(g.slot); err != nil {
			return err
		}
	}
	slot := g.disagree()
	for begun := time.Now(); slot >= 0 && !g.over(slot) && time.Since(begun) < g.settle; slot = g.disagree() {
		for i := range g.sides {
			if err := g.sides[i].links[slot].recv(glance); err != nil {
				return err
			}
		}
	}
	if slot >= 0 {
		g.differ(fmt.Sprintf("on connection %d", slot), g.sides[0].tell(slot), g.sides[1].tell(slot))
	}
	return nil
}

// over says that nothing more can happen on a connection.
func (g *game) over(slot int) bool {
	return g.sides[0].links[slot].closed && g.sides[1].links[slot].closed
}

// disagree gives the first connection on which the sides differ, or -1.
func (g *game) disagree() int {
	for slot := range MaxConns {
		a, b := g.sides[0].links[slot], g.sides[1].links[slot]
		if a == nil || b == nil || !a.fresh && !b.fresh {
			continue
		}
		if a.closed != b.closed || a.reset != b.reset && !a.unread() || !g.alike(slot) {
			return slot
		}
		a.fresh, b.fresh = false, false
	}
	return -1
}

// alike compares what arrived on a connection. If one was reset, because something was left
// unread on it, the end of its reply may be missing, and nothing else.
func (g *game) alike(slot int) bool {
	a, b := g.sides[0].links[slot], g.sides[1].links[slot]
	ta, tb := g.sides[0].names.reply(a.sent, a.got), g.sides[1].names.reply(b.sent, b.got)
	if len(ta) > len(tb) {
		a, b, ta, tb = b, a, tb, ta
	}
	cut := a.reset && a.unread() && len(a.got) > 0
	return bytes.Equal(ta, tb) || cut && bytes.HasPrefix(tb, ta)
}

// awaitEnd waits until both daemons have closed a connection. If they do not, that
// is a difference: they must.
func (g *game) awaitEnd(slot int) error {
	ended := true
	for i := range g.sides {
		l := g.sides[i].links[slot]
		for begun := time.Now(); ; {
			if err := l.recv(glance); err != nil {
				return err
			}
			if l.closed || time.Since(begun) >= g.settle {
				break
			}
		}
		ended = ended && l.closed
	}
	if !ended {
		g.differ(fmt.Sprintf("connection %d should have been closed", slot), g.sides[0].tell(slot), g.sides[1].tell(slot))
	}
	return nil
}

// abandon breaks the connections that are open.
func (g *game) abandon() error {
	var errs error
	for i := range g.sides {
		for _, l := range g.sides[i].links {
			if l != nil && !l.closed {
				l.closed = true
				errs = errors.Join(errs, l.conn.Reset())
			}
		}
	}
	return errs
}
