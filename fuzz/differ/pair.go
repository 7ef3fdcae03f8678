package differ

import (
	"errors"
	"fmt"
	"time"

	"github.com/goepmd/goepmd/wire"
)

const (
	// DefaultSettle is the default of [Pair].Settle.
	DefaultSettle = 3 * time.Second
	// glance is how long one observation that is made again waits for something to
	// happen.
	glance = 2 * time.Millisecond
)

// Difference is a conversation after which two daemons differ.
type Difference struct {
	Conversation Conversation
	// Step is the number of the step that showed it, from 1; above their number
	// it showed while the connections that were left were closed.
	Step int
	// What it is about, and what either daemon did.
	What, A, B string
	// Relaxed says that the daemons ran with the relaxed command check.
	Relaxed bool
	// Before is how many conversations the daemons must have had before this one;
	// zero if they differ as soon as they are started.
	Before int
	// Unsteady says that it did not come again, whatever was played anew.
	Unsteady bool
}

// String tells the difference and the conversation, for reading.
func (d *Difference) String() string {
	when := ""
	switch {
	case d.Unsteady:
		when = ", once and not again"
	case d.Before > 0:
		when = fmt.Sprintf(", after %d conversations before this one", d.Before)
	}
	return fmt.Sprintf("after step %d%s, %s:\n  A: %s\n  B: %s\n%s", d.Step, when, d.What, d.A, d.B, d.Conversation)
}

// Pair is two daemons that have been through the same. It is used by one goroutine
// at a time.
type Pair struct {
	A, B Target
	// Settle is for how long observations that differ are made again. Zero is
	// DefaultSettle; negative is none, which is right for bare sessions.
	Settle time.Duration
	// Conns counts the connections that were made to either.
	Conns int64

	spent bool
	// lives is what the first life of each name was told in conversations side by side, by
	// either daemon: these names all stay remembered, so creations are steps from there.
	lives [2]map[string]*creations
}

// Spent says that the daemons have ended, or are not alike any more: make another
// pair.
func (p *Pair) Spent() bool { return p.spent }

// Stop ends both daemons.
func (p *Pair) Stop() error { return errors.Join(p.A.Stop(), p.B.Stop()) }

// Play plays a conversation alone, and gives the first difference, nil if there is
// none. An error is a failure of this side.
func (p *Pair) Play(c Conversation) (*Difference, error) {
	c.Prefix = "" // whole lists are compared
	var found *Difference
	given := false
	err := p.Stream(1, func(int) (Conversation, bool) {
		first := !given
		given = true
		return c, first
	}, func(_ Conversation, d *Difference) { found = d })
	return found, err
}

// Stream plays conversations, up to width of them side by side, which must then be
// shareable and have prefixes of their own. next gives the one that comes next
// in one of the places, from 0, as long as there is one; done is told of each
// when it is over, with the first difference or nil. After a difference no more are
// begun. An error is a failure of this side.
func (p *Pair) Stream(width int, next func(place int) (Conversation, bool), done func(Conversation, *Difference)) error {
	pl := player{pair: p, targets: [2]Target{p.A, p.B}, games: make([]*game, width), next: next, done: done}
	err := pl.play()
	if err != nil {
		p.spent = true
		err = errors.Join(err, pl.abandon())
	}
	return err
}

// player plays conversations side by side.
type player struct {
	pair    *Pair
	targets [2]Target
	games   []*game // nil where there are no more
	next    func(int) (Conversation, bool)
	done    func(Conversation, *Difference)
}

func (p *player) play() error {
	for {
		moved := 0
		for place := range p.games {
			went, err := p.advance(place)
			if err != nil {
				return err
			}
			if went {
				moved++
			}
		}
		if moved == 0 {
			return nil
		}
		if g := p.games[0]; len(p.games) == 1 && g.kills() {
			if err := p.kill(g); err != nil {
				return err
			}
			continue
		}
		if err := p.barrier(); err != nil {
			return err
		}
		if err := p.observe(); err != nil {
			return err
		}
	}
}

// advance plays the next step in a place: of the conversation there, or of the
// next one. It is false if there are no more.
func (p *player) advance(place int) (bool, error) {
	for {
		g := p.games[place]
		if g == nil {
			var more bool
			var err error
			if g, more, err = p.begin(place); err != nil || !more {
				return false, err
			}
		}
		step, more := g.next()
		if !more {
			p.games[place] = nil
			if err := g.abandon(); err != nil {
				return false, err
			}
			p.done(g.conv, g.diff)
			continue
		}
		return true, p.step(g, step)
	}
}

// begin takes the next conversation for a place.
func (p *player) begin(place int) (*game, bool, error) {
	if p.pair.spent {
		return nil, false, nil
	}
	c, more := p.next(place)
	if !more {
		return nil, false, nil
	}
	if len(p.games) > 1 && !c.Shareable() {
		return nil, false, errors.New("a conversation that must be alone cannot be played beside others")
	}
	g := &game{conv: c, settle: p.pair.Settle}
	if g.settle == 0 {
		g.settle = DefaultSettle
	}
	for i, t := range p.targets {
		g.sides[i] = side{target: t, names: normal{port: t.Port()}}
		if len(p.games) > 1 {
			if p.pair.lives[i] == nil {
				p.pair.lives[i] = make(map[string]*creations)
			}
			g.sides[i].names.prefix, g.sides[i].names.first = c.Prefix, p.pair.lives[i]
		}
	}
	p.games[place] = g
	return g, true, nil
}

// step plays a step of one conversation to both.
func (p *player) step(g *game, s Step) error {
	for i := range g.sides {
		dialled, err := g.sides[i].apply(s)
		if errors.Is(err, ErrGone) {
			g.differ("the daemon is gone", fmt.Sprint(i == 0), fmt.Sprint(i == 1))
			p.pair.spent = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("step %d: %w", g.at, err)
		}
		p.pair.Conns += dialled
	}
	return nil
}

// barrier returns when both daemons have dealt with what was sent to them, or are
// gone, which is a difference.
func (p *player) barrier() error {
	for range 2 {
		var gone [2]error
		for i, t := range p.targets {
			gone[i] = t.Ask()
		}
		for i, t := range p.targets {
			if gone[i] == nil {
				gone[i] = t.Answer(func() error { return p.drain(i) })
			}
		}
		p.pair.Conns += 2
		for _, err := range gone {
			if err != nil && !errors.Is(err, ErrGone) {
				return err
			}
		}
		if gone[0] != nil || gone[1] != nil {
			p.pair.spent = true
			for _, g := range p.games {
				if g != nil {
					g.differ("the daemon is gone", fmt.Sprint(gone[0] != nil), fmt.Sprint(gone[1] != nil))
				}
			}
			return nil
		}
	}
	return nil
}

// drain reads what has arrived from one daemon.
func (p *player) drain(i int) error {
	for _, g := range p.games {
		if g == nil {
			continue
		}
		for _, l := range g.sides[i].links {
			if l == nil {
				continue
			}
			if err := l.recv(0); err != nil {
				return err
			}
		}
	}
	return nil
}

// observe compares what has happened on the connections of all conversations.
func (p *player) observe() error {
	for i := range p.targets {
		if err := p.drain(i); err != nil {
			return err
		}
	}
	for _, g := range p.games {
		if g == nil {
			continue
		}
		if p.pair.spent { // by a difference, which is looked into before all others
			g.settle = min(g.settle, shrinkSettle)
		}
		if err := g.compare(); err != nil {
			return err
		}
		p.pair.spent = p.pair.spent || g.diff != nil
	}
	return nil
}

// kill sees through a step that may have ended the daemons.
func (p *player) kill(g *game) error {
	if err := g.awaitEnd(g.slot); err != nil {
		return err
	}
	if err := g.compare(); err != nil || g.diff != nil {
		p.pair.spent = true
		return err
	}
	if l := g.sides[0].links[g.slot]; string(l.got) != "OK" && string(l.got) != string(wire.AppendKill3Resp(nil, true)) {
		return nil
	}
	g.ended, p.pair.spent = true, true
	var ends [2]string
	for i, t := range p.targets {
		status, err := t.Exit()
		ends[i] = fmt.Sprintf("exit status %d, %v", status, err)
	}
	if ends[0] != ends[1] {
		g.differ("after KILL_REQ", ends[0], ends[1])
	}
	return nil
}

// abandon lets go of all connections.
func (p *player) abandon() error {
	var errs error
	for _, g := range p.games {
		if g != nil {
			errs = errors.Join(errs, g.abandon())
		}
	}
	return errs
}
