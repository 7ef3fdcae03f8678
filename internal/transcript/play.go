package transcript

import (
	"encoding/hex"
	"fmt"
)

// Target is a fresh daemon to play a scenario against.
type Target interface {
	// Port is the daemon's own port, as its lists tell it.
	Port() uint16
	// Open connects.
	Open() (Conn, error)
	// Exit waits for the daemon's end and gives its exit status.
	Exit() (int, error)
}

// Conn is a connection to the daemon.
type Conn interface {
	// Send sends segments, apart enough that each arrives on its own.
	Send(segments [][]byte) error
	HalfClose() error
	Close() error
	Reset() error
	// Recv gives everything that arrives until the daemon closes the
	// connection, by an end or a reset alike, or nothing more comes.
	Recv() (b []byte, closed bool, err error)
}

// Play plays a scenario and says where the daemon differs; nil if nowhere.
func Play(s Scenario, t Target) error {
	p := player{target: t, conns: make(map[string]Conn), match: NewMatcher(t.Port())}
	defer func() {
		for _, c := range p.conns {
			_ = c.Close() // the scenario is over
		}
	}()
	for i, step := range s.Steps {
		if err := p.step(step); err != nil {
			return fmt.Errorf("step %d, connection %q: %w", i+1, step.Conn, err)
		}
	}
	return nil
}

type player struct {
	target Target
	conns  map[string]Conn
	match  *Matcher
}

func (p *player) step(s Step) error {
	pause(s.Pause())
	if s.Exits != nil {
		status, err := p.target.Exit()
		if err == nil && status != *s.Exits {
			err = fmt.Errorf("exit status %d, expected %d", status, *s.Exits)
		}
		return err
	}
	c, err := p.conn(s.Conn)
	if err != nil {
		return err
	}
	segments, err := s.Segments()
	if err != nil {
		return err
	}
	if len(segments) > 0 {
		if err := c.Send(segments); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
	if s.HalfClose {
		err = c.HalfClose()
	}
	if s.Close && err == nil {
		err = c.Close()
	}
	if s.Reset && err == nil {
		err = c.Reset()
	}
	if err != nil || s.Recv == nil {
		return err
	}
	return p.recv(c, s)
}

func (p *player) conn(name string) (Conn, error) {
	c := p.conns[name]
	if c != nil {
		return c, nil
	}
	c, err := p.target.Open()
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	p.conns[name] = c
	return c, nil
}

func (p *player) recv(c Conn, s Step) error {
	got, closed, err := c.Recv()
	if err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	if err := p.match.Match(*s.Recv, got); err != nil {
		return err
	}
	if closed != (s.Then == "closed") {
		return fmt.Errorf("got %s, and then closed is %v, expected %q", hex.EncodeToString(got), closed, s.Then)
	}
	return nil
}
