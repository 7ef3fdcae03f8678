package host

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/goepmd/goepmd/fuzz/machine"
)

// maxSteps bounds a conversation.
const maxSteps = 1000

// Lockstep has the conversation that the bytes are, any bytes, with two daemons at
// once, and compares every answer and, after each, the whole state. It says how
// many steps there were, and where the two differ; nil if nowhere. Refused calls
// are steps too, and must be refused alike.
func Lockstep(conversation []byte, one, two machine.Start) (steps int, err error) {
	s := &script{rest: conversation}
	o := s.options()
	a, errA := one(o)
	b, errB := two(o)
	if err := same("start", nil, nil, errA, errB); err != nil {
		return 0, fmt.Errorf("%+v: %w", o, err)
	}
	if errA != nil {
		return 0, nil
	}
	defer func() { err = errors.Join(err, a.Close(), b.Close()) }()
	p := pair{script: s, a: a, b: b}
	for !s.done() && steps < maxSteps {
		steps++
		if err := p.step(); err != nil {
			return steps, fmt.Errorf("step %d: %w", steps, err)
		}
		stateA, errA := a.State()
		stateB, errB := b.State()
		if err := same("state", stateA, stateB, errA, errB); err != nil {
			return steps, fmt.Errorf("step %d: %w", steps, err)
		}
	}
	return steps, nil
}

// pair is two daemons in the midst of a conversation.
type pair struct {
	*script
	a, b machine.Daemon
	last machine.ConnID // the number of connections that were opened
}

// step reads one thing to happen, and lets it. Most are a request on a connection
// of its own, as that is what leads somewhere.
func (p *pair) step() error {
	switch p.next() % 8 {
	case 0:
		return p.open()
	case 1, 2, 3:
		if err := p.open(); err != nil {
			return err
		}
		return p.send(p.last, p.packet())
	case 4:
		return p.send(p.conn(p.last), p.packet())
	case 5:
		return p.feed(p.conn(p.last), p.take(int(p.next())))
	case 6:
		return p.end(p.conn(p.last))
	}
	return p.advance(p.span())
}

func (p *pair) open() error {
	local := p.next()%4 != 3
	idA, errA := p.a.Open(local)
	idB, errB := p.b.Open(local)
	p.last = max(p.last, idA)
	return same("open", idA, idB, errA, errB)
}

// send lets a packet arrive whole, or cut once, as a socket would give it.
func (p *pair) send(id machine.ConnID, packet []byte) error {
	cut := int(p.next())
	if cut == 0 || cut >= len(packet) {
		cut = len(packet)
	}
	for _, segment := range [][]byte{packet[:cut], packet[cut:]} {
		for len(segment) > 0 {
			wantA, errA := p.a.Want(id)
			wantB, errB := p.b.Want(id)
			if err := same("want", wantA, wantB, errA, errB); err != nil || errA != nil {
				return err
			}
			if wantA < 1 {
				return fmt.Errorf("want: both answer %d", wantA)
			}
			n := min(len(segment), wantA)
			if err := p.feed(id, segment[:n]); err != nil {
				return err
			}
			segment = segment[n:]
		}
	}
	return nil
}

func (p *pair) feed(id machine.ConnID, chunk []byte) error {
	resA, errA := p.a.Feed(id, chunk)
	resB, errB := p.b.Feed(id, chunk)
	return same("feed", resA, resB, errA, errB)
}

func (p *pair) end(id machine.ConnID) error {
	return same("end", nil, nil, p.a.End(id), p.b.End(id))
}

func (p *pair) advance(ms int64) error {
	lateA, errA := p.a.Advance(ms)
	lateB, errB := p.b.Advance(ms)
	return same("advance", lateA, lateB, errA, errB)
}

// same says how two answers differ.
func same(what string, a, b any, errA, errB error) error {
	kindA, kindB := kind(errA), kind(errB)
	switch {
	case kindA == nil && errA != nil, kindB == nil && errB != nil, kindA != kindB:
		return fmt.Errorf("%s: one fails with %v, the other with %v", what, errA, errB)
	case !reflect.DeepEqual(a, b):
		return fmt.Errorf("%s: one answers %+v, the other %+v", what, a, b)
	}
	return nil
}

// kind is which of package machine's errors an error is; nil for none.
func kind(err error) error {
	for _, k := range []error{machine.ErrConn, machine.ErrStopped, machine.ErrFull, machine.ErrTime} {
		if errors.Is(err, k) {
			return k
		}
	}
	return nil
}
