package session_test

import (
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/fuzz/model"
	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// lines is how many connections a conversation has at a time.
const lines = 8

// leg is what a client does on one of the connections; it is opened if need be.
type leg struct {
	line   int
	remote bool // the peer's machine is another
	sends  []byte
	held   int     // so many of the last bytes come with the next leg on the line
	glued  bool    // bytes behind a packet come in the read that makes its length known
	cuts   []int64 // where to cut, modulo the length
	leaves bool    // and then closes the connection
}

func (l leg) String() string {
	return fmt.Sprintf("{line %d remote %v sends %s held %d glued %v cuts %d leaves %v}",
		l.line, l.remote, model.Short(l.sends), l.held, l.glued, l.cuts, l.leaves)
}

func randomLeg(r *rand.Rand) leg {
	l := leg{line: r.Intn(lines), remote: r.Intn(16) == 0, glued: r.Intn(2) == 0, leaves: r.Intn(6) == 0}
	l.sends = randomBytes(r)
	if r.Intn(6) == 0 {
		l.held = r.Intn(len(l.sends) + 1)
	}
	for range r.Intn(5) {
		l.cuts = append(l.cuts, r.Int63())
	}
	if r.Intn(3) == 0 {
		l.cuts = append(l.cuts, 1)
	}
	return l
}

// randomBytes are at least one, and most often one packet.
func randomBytes(r *rand.Rand) []byte {
	body := model.Body
	if r.Intn(2) == 0 {
		body = model.Body3 // garbage to a daemon without the extension
	}
	b := []byte(model.Packet(body(r)))
	if r.Intn(6) == 0 { // of those several must come on one connection
		b = nil
		for range 1 + r.Intn(3) {
			next := model.Alive3Body(r)
			if r.Intn(4) == 0 {
				next = "X" + string(model.Mutate(r, []byte(next[1:])))
			}
			b = append(b, model.Packet(next)...)
		}
		return b
	}
	switch r.Intn(16) {
	case 0:
		return model.Mutate(r, b)
	case 1:
		return []byte(model.Packet(string(model.Mutate(r, b[wire.HeaderLen:]))))
	case 2:
		return append(model.Bytes(r, 40), 0)
	case 3, 4:
		return append(append(b, model.Bytes(r, 5)...), 0)
	case 5:
		return append(b, model.Packet(body(r))...)
	case 6:
		longest := model.Packet("n" + strings.Repeat("t", wire.MaxBodyLen-1-r.Intn(2)))
		return append([]byte(longest), model.Bytes(r, 2)...)
	case 7:
		if r.Intn(4) == 0 {
			return []byte(model.Packet([]string{"k", "K"}[r.Intn(2)]))
		}
	}
	return b
}

// line is what both sides of the comparison know of a connection.
type line struct {
	open, kept, local bool
	more              bool   // it takes further ALIVE3_REQs
	later             string // what has arrived of the next one
	owner             registry.Owner
	sent              string // of the request, and what is behind it
	glued             int    // how much of it came up to the read that made its length known
	held              []byte // still to come
}

// worlds are one conversation, had three times: with the model, with sessions that
// get everything in as few pieces as may be, and with sessions that get it cut.
type worlds struct {
	model      model.Daemon
	whole, cut *sim
	lines      [lines]line
	met        map[string]int
}

func newWorlds(relax, multi bool, met map[string]int) *worlds {
	change := []func(*session.Daemon){relaxed(relax)}
	if multi {
		change = append(change, multiTransport)
	}
	w := &worlds{whole: newSim(change...), cut: newSim(change...), met: met}
	w.model = model.Daemon{
		Names: model.Names{Remember: registry.DefaultRemember, MaxHeld: registry.DefaultMaxHeld},
		Port:  w.whole.daemon.Port, Relaxed: relax, Multi: multi,
	}
	return w
}

// play has one leg, and says whether the daemons go on.
func (w *worlds) play(l leg) (goOn bool, err error) {
	w.whole.now = w.whole.now.Add(time.Second)
	w.cut.now = w.whole.now
	at := &w.lines[l.line]
	if !at.open {
		p := loopback
		if l.remote {
			p = peer{"192.0.2.2", "192.0.2.1"}
		}
		owner := w.whole.open(p).session.Owner()
		w.cut.open(p)
		*at = line{open: true, local: !l.remote, owner: owner}
	}
	b := l.sends
	if len(at.held) > 0 {
		b, at.held = at.held, nil
	} else {
		cut := len(b) - l.held
		b, at.held = b[:cut], b[cut:]
	}
	whole, cut := pieces(at, b, l)
	reply, verdict := w.expect(at, string(b))
	a, c := w.whole.conns[at.owner], w.cut.conns[at.owner]
	if err := errors.Join(feed(a, whole, true), feed(c, cut, false)); err != nil {
		return false, err
	}
	for name, conn := range map[string]*simConn{"whole": a, "cut": c} {
		if got, _, _ := conn.Recv(nil, 0); string(got) != reply {
			return false, fmt.Errorf("%s: want reply %s, got %s", name, model.Short(reply), model.Short(got))
		}
		if got := lastVerdict(conn); len(b) > 0 && got != verdict {
			return false, fmt.Errorf("%s: want verdict %v, got %v", name, verdict, got)
		}
	}
	if fmt.Sprint(a.errs()) != fmt.Sprint(c.errs()) {
		return false, fmt.Errorf("errors %v if whole, %v if cut", a.errs(), c.errs())
	}
	if l.leaves && at.open {
		at.open = false
		w.model.End(uint64(at.owner))
		a.end(registry.ReasonClosed)
		c.end(registry.ReasonClosed)
	}
	return verdict != session.StopDaemon, w.compare()
}

// pieces cuts bytes in two ways that the rule of framing treats alike.
func pieces(at *line, b []byte, l leg) (whole, cut [][]byte) {
	var places []int
	for _, c := range l.cuts {
		if len(b) > 0 {
			places = append(places, int(c%int64(len(b))))
		}
	}
	before := len(at.sent)
	all := at.sent + string(b)
	n, err := wire.PacketLen([]byte(all))
	excess := !at.kept && before < wire.HeaderLen && err == nil && n > 0 && len(all) > n
	switch {
	case excess && l.glued && n == wire.MaxPacketLen:
		// No read is so long that it takes in what is behind.
	case excess && l.glued:
		// Only the first byte may come before, and only what is far behind after.
		at.glued = len(all)
		places = slices.DeleteFunc(places, func(p int) bool { return p+before >= wire.HeaderLen && p+before <= n })
		return [][]byte{b}, split(b, places)
	case excess:
		// The read that makes the length known ends within the packet, somewhere.
		end := n - before
		first := wire.HeaderLen - before
		for _, p := range places {
			first = max(first, p%(end+1))
		}
		return split(b, []int{end}), split(b, append(places, first))
	}
	return [][]byte{b}, split(b, places)
}

// split cuts at places, in any order.
func split(b []byte, places []int) (parts [][]byte) {
	slices.Sort(places)
	last := 0
	for _, p := range places {
		parts = append(parts, b[last:p])
		last = p
	}
	return append(parts, b[last:])
}

// expect is what the model makes of bytes that arrive.
func (w *worlds) expect(at *line, b string) (reply string, v session.Verdict) {
	if at.more {
		return w.expectMore(at, b)
	}
	if at.kept {
		if b == "" {
			return "", session.Keep
		}
		w.met["data later"]++
		return w.end(at)
	}
	at.sent += b
	frame, body := model.Framing(at.sent, at.glued)
	switch frame {
	case model.Bad:
		if at.glued > 0 {
			w.met["excess"]++
		}
		return w.end(at)
	case model.Unknown, model.Begun:
		w.met["incomplete"]++
		return "", session.More
	}
	a := w.model.Answer(w.whole.now.Unix(), uint64(at.owner), at.local, body)
	w.count(at, body[0], a)
	for i := range w.lines {
		if slices.Contains(a.Cut, uint64(w.lines[i].owner)) {
			w.lines[i].open = false
		}
	}
	switch {
	case a.Ends:
		at.open = false
		return a.Reply, session.StopDaemon
	case a.TakesMore:
		at.kept, at.more = true, true
		reply, v = w.expectMore(at, at.sent[wire.HeaderLen+len(body):])
		return a.Reply + reply, v
	case a.Kept && len(at.sent) > wire.HeaderLen+len(body):
		w.met["data at once"]++
		_, v = w.end(at)
		return a.Reply, v
	case a.Kept:
		at.kept = true
		return a.Reply, session.Keep
	}
	at.open = false
	return a.Reply, session.Close
}

// expectMore is expect for a connection that takes further ALIVE3_REQs.
func (w *worlds) expectMore(at *line, b string) (reply string, v session.Verdict) {
	for at.later += b; ; {
		later := at.later
		n, err := wire.PacketLen([]byte(later))
		switch {
		case err != nil, len(later) > wire.HeaderLen && later[wire.HeaderLen] != 'X':
			w.met["other request"]++
			_, v = w.end(at)
			return reply, v
		case later == "":
			return reply, session.Keep
		case n == 0 || len(later) < n:
			w.met["half a request"]++
			return reply, session.More
		}
		a := w.model.Alive3(w.whole.now.Unix(), uint64(at.owner), later[wire.HeaderLen:n])
		if !a.Kept {
			w.met["bad request"]++
			_, v = w.end(at)
			return reply, v
		}
		w.met["another transport"]++
		reply += a.Reply
		at.later = later[n:]
	}
}

func (w *worlds) end(at *line) (string, session.Verdict) {
	at.open = false
	w.model.End(uint64(at.owner))
	return "", session.Close
}

// count notes what was met, so that the test can tell that all was.
func (w *worlds) count(at *line, tag byte, a model.Answer) {
	switch {
	case !at.local && a.Reply == "":
		w.met["remote"]++
	case a.Reply == "":
		w.met["unanswered"]++
	case len(a.Outcome.Broken) > 0:
		w.met["refused"]++
	case strings.HasPrefix(a.Reply, "w\x00"), len(a.Reply) > 4 && a.Reply[2:4] == "w\x00":
		w.met["found"]++
	default:
		w.met[wire.Tag(tag).String()]++
	}
}

// feed lets pieces arrive at a session, trimmed to what it wants or not.
func feed(c *simConn, parts [][]byte, trim bool) error {
	scratch := make([]byte, session.MaxReplyLen)
	for _, part := range parts {
		for rest := slices.Clone(part); len(rest) > 0 && !c.closed; {
			want := c.session.Want()
			if want < 1 {
				return fmt.Errorf("it wants %d bytes", want)
			}
			if res := c.session.Feed(c.sim.now, nil, nil); res.Used != 0 || len(res.Reply) > 0 || res.Verdict > session.Keep {
				return fmt.Errorf("nothing is answered by %+v", res)
			}
			chunk := rest
			if trim {
				chunk = rest[:min(len(rest), want)]
			}
			res := c.session.Feed(c.sim.now, chunk, scratch)
			if res.Used != min(len(chunk), want) {
				return fmt.Errorf("of %d bytes, wanted %d, it used %d", len(chunk), want, res.Used)
			}
			c.take(res)
			clear(rest[:res.Used]) // the session keeps neither
			clear(scratch)
			rest = rest[res.Used:]
		}
	}
	if !c.closed {
		return nil
	}
	if res := c.session.Feed(c.sim.now, []byte("more"), scratch); !c.session.Ended() || res.Verdict != session.Close ||
		!errors.Is(res.Err, session.ErrEnded) || res.Used != 0 || len(res.Reply) > 0 {
		return fmt.Errorf("after its end a session says %+v", res)
	}
	return nil
}

// take obeys a result as an engine does.
func (c *simConn) take(res session.Result) {
	for _, o := range res.Evict {
		c.sim.conns[o].end(registry.ReasonStopped)
	}
	c.got = append(c.got, res.Reply...)
	res.Reply, res.Name = nil, nil // they are borrowed
	c.results = append(c.results, res)
	switch res.Verdict {
	case session.StopDaemon:
		c.sim.ended = true
		c.end(registry.ReasonShutdown)
	case session.Close:
		c.end(registry.ReasonClosed)
	}
}

// errs is why the session closed, if it did, or what it did not grant.
func (c *simConn) errs() (errs []error) {
	for _, res := range c.results {
		if res.Err != nil {
			errs = append(errs, res.Err)
		}
	}
	return errs
}

func lastVerdict(c *simConn) session.Verdict {
	if len(c.results) == 0 {
		return session.More
	}
	return c.last().Verdict
}

// compare holds the registries to the model.
func (w *worlds) compare() error {
	for name, s := range map[string]*sim{"whole": w.whole, "cut": w.cut} {
		r := s.daemon.Registry
		if want, got := w.model.Dump3(s.daemon.Port), string(r.Dump3(uint32(s.daemon.Port))); want != got {
			return fmt.Errorf("%s: want dump %q, got %q", name, want, got)
		}
		if want, got := w.model.Dump(s.daemon.Port), string(r.Dump(uint32(s.daemon.Port))); want != got {
			return fmt.Errorf("%s: want dump %q, got %q", name, want, got)
		}
		for i, e := range r.Snapshot().Nodes {
			if want := w.model.Live[i]; want.Node != e.Node || want.Counter != e.Counter {
				return fmt.Errorf("%s: want %v, got %v", name, want, e)
			}
		}
		for _, at := range w.lines {
			if c := s.conns[at.owner]; c != nil && (c.closed == at.open || c.session.Ended() == at.open) {
				return fmt.Errorf("%s: connection %d: closed is %v, ended %v", name, at.owner, c.closed, c.session.Ended())
			}
		}
	}
	return nil
}

// TestPropConversation: however a conversation is cut where the rule of framing
// does not care, replies and verdicts are the same, and they and the names are
// those of the model after every step.
func TestPropConversation(t *testing.T) {
	met := make(map[string]int)
	property.Holds(t, 1000, 80, prop.ForAll(func(relax, multi bool, legs []leg) string {
		w := newWorlds(relax, multi, met)
		for i, l := range legs {
			goOn, err := w.play(l)
			if err != nil {
				return fmt.Sprintf("leg %d, %v: %v", i, l, err)
			}
			if !goOn {
				break
			}
		}
		return ""
	}, gen.Bool(), gen.Bool(), gen.SliceOf(property.Gen(randomLeg))))
	t.Logf("met: %v", met)
	for _, what := range []string{
		"ALIVE2_REQ", "PORT_PLEASE2_REQ", "NAMES_REQ", "DUMP_REQ", "KILL_REQ", "STOP_REQ",
		"found", "refused", "unanswered", "remote", "incomplete", "excess", "data later", "data at once",
		"ALIVE3_REQ", "PORT_PLEASE3_REQ", "NAMES3_REQ", "DUMP3_REQ", "KILL3_REQ", "STOP3_REQ",
		"another transport", "half a request", "other request", "bad request",
	} {
		require.Greater(t, met[what], 10, "%s", what)
	}
}
