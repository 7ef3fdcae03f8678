package soak

import (
	"errors"
	"time"

	"github.com/goepmd/goepmd/internal/faults/rig"
)

// connect connects as somebody who does not care whether it succeeds.
func (w *worker) connect(what string) *rig.Conn {
	c, err := w.dial.Dial()
	if err != nil {
		w.tally.add("connections of troublemakers that failed")
		return nil
	}
	w.tally.add(what)
	return c
}

// end closes a connection in one of several ways.
func (w *worker) end(c *rig.Conn) {
	switch w.rng.IntN(3) {
	case 0:
		c.Reset()
	case 1:
		c.HalfClose()
		c.Close()
	default:
		c.Close()
	}
}

// leave sends a part of a request, or all of it, and leaves.
func (w *worker) leave() {
	c := w.connect("clients that left in the middle")
	if c == nil {
		return
	}
	s := w.anySteady()
	requests := [][]byte{rig.Alive("leaver-"+w.id, 1), rig.Port(s.name), rig.Names(), rig.Dump()}
	request := requests[w.rng.IntN(len(requests))]
	_ = c.Send(request[:w.rng.IntN(len(request)+1)]) // who is cut off already leaves too
	if w.rng.IntN(2) == 0 {
		w.rest(2 * time.Millisecond)
	}
	w.end(c)
}

// babble sends what is no request.
func (w *worker) babble() {
	c := w.connect("clients that sent nonsense")
	if c == nil {
		return
	}
	b := make([]byte, 1+w.rng.IntN(4000))
	for i := range b {
		b[i] = byte(w.rng.UintN(256))
	}
	if len(b) > 2 && b[2] == 'x' {
		b[2] = 'X' // it must not register anything
	}
	_ = c.Send(b) // who is cut off already has done its part
	w.end(c)
}

// flood connects and leaves many times without pause.
func (w *worker) flood() {
	for range 300 {
		if c := w.connect("connections of floods"); c != nil {
			if w.rng.IntN(2) == 0 {
				_ = c.Send(rig.Port("nobody")) // nobody waits for the answer
			}
			c.Reset()
		}
	}
	w.rest(2 * time.Second)
}

// beSilent connects and says nothing: more often than the daemon's limits allow.
func (w *worker) beSilent() {
	const most = 400
	if c := w.connect("silent connections"); c != nil {
		w.keep(c, "", most)
	}
	w.rest(10 * time.Millisecond)
}

// takeName asks for a name that is taken, and stays: more often than the daemon's limits
// allow.
func (w *worker) takeName() {
	const most = 300
	c := w.connect("registrations of taken names")
	if c == nil {
		return
	}
	s := w.anySteady()
	result, err := c.Register(s.name, 1)
	if err == nil && result == 0 {
		w.tally.fail("the name of %s was given to somebody else", s.name)
	}
	w.keep(c, "", most)
}

// drip sends requests a byte at a time, on many connections.
func (w *worker) drip() {
	const most = 50
	if c := w.connect("clients that send byte by byte"); c != nil {
		w.keep(c, "", most)
	}
	request := rig.Port("nobody")
	for _, h := range w.held {
		_ = h.conn.Send(request[w.n%4 : w.n%4+1]) // who is cut off is replaced in its turn
	}
	w.n++
	w.rest(200 * time.Millisecond)
}

// readLate asks for the list, and reads it a while later, or never.
func (w *worker) readLate() {
	const most = 10
	w.dial.Receive = 2048
	if c := w.connect("clients that do not read"); c != nil {
		_ = c.Send(rig.Names()) // who is cut off is replaced in its turn
		w.held = append(w.held, held{conn: c})
	}
	w.rest(300 * time.Millisecond)
	if len(w.held) < most {
		return
	}
	h := w.held[0]
	w.held = w.held[1:]
	defer h.conn.Close()
	if w.rng.IntN(2) == 0 {
		return
	}
	answer, err := h.conn.ReceiveAll()
	var list map[string]uint16
	if err == nil {
		list, err = rig.ParseList(answer)
	}
	switch {
	case errors.Is(err, rig.ErrWrong):
		w.tally.fail("the list of a late reader: %v", err)
	case err != nil: // it had to go, as one of too many that are not answered in full
		w.tally.add("late readers that were cut off")
	case w.complete(list) != nil:
		// Nothing tells its reader that this is not all.
		w.tally.add("late readers that were cut off between two lines")
	default:
		w.tally.add("late readers with the whole list")
	}
}
