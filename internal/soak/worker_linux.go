package soak

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/goepmd/goepmd/internal/faults/rig"
)

// worker is one client, which does one kind of thing again and again.
type worker struct {
	*run
	rng  *rand.Rand
	dial *rig.Dialer
	id   string
	n    int
	held []held // the oldest first
}

// held is a connection that a worker has left open.
type held struct {
	conn *rig.Conn
	name string
}

// workers are the kinds of things that are done at once.
var workers = []func(*worker){
	(*worker).comeAndGo, (*worker).comeAndGo,
	(*worker).lookUp, (*worker).lookUp,
	(*worker).list, (*worker).command,
	(*worker).leave, (*worker).babble, (*worker).flood,
	(*worker).beSilent, (*worker).takeName, (*worker).drip, (*worker).readLate,
}

// rest waits, at most so long.
func (w *worker) rest(most time.Duration) { time.Sleep(time.Duration(w.rng.Int64N(int64(most)))) }

func (w *worker) anySteady() steady { return w.steady[w.rng.IntN(len(w.steady))] }

// keep leaves a connection open; of more than so many the oldest is closed.
func (w *worker) keep(c *rig.Conn, name string, most int) {
	w.held = append(w.held, held{c, name})
	for len(w.held) > most {
		w.drop()
	}
}

// drop closes the oldest connection that is left open.
func (w *worker) drop() held {
	h := w.held[0]
	h.conn.Close()
	w.held = w.held[1:]
	return h
}

func (w *worker) closeAll() {
	for len(w.held) > 0 {
		w.drop()
	}
}

// tries is how often a client comes again that was closed unanswered: while there are too
// many others, one that has not sent its request yet may have to go.
const tries = 20

// insist does something until it is answered.
func (w *worker) insist(what string, do func() error) bool {
	var err error
	for range tries {
		if err = do(); err == nil {
			w.tally.add(what)
			return true
		}
		if errors.Is(err, rig.ErrWrong) || w.d.Died() != "" {
			break
		}
		w.tally.add("closed unanswered, and tried again")
		w.rest(20 * time.Millisecond)
	}
	w.tally.fail("%s: %v", what, err)
	return false
}

// comeAndGo registers a node, looks it up, and lets one of those before go.
func (w *worker) comeAndGo() {
	const most = 30
	port := uint16(w.rng.UintN(1 << 16))
	var name string
	var c *rig.Conn
	ok := w.insist("registrations that came", func() (err error) {
		w.n++ // one that was closed unanswered may hold its name for a moment
		name = fmt.Sprintf("churn-%s-%d", w.id, w.n)
		c, err = w.dial.Register(name, port)
		return err
	})
	if !ok {
		return
	}
	w.insist("lookups of nodes that come and go", func() error { return w.find(name, port) })
	w.held = append(w.held, held{c, name})
	for len(w.held) > 0 && (len(w.held) > most || w.rng.IntN(2) == 0) {
		h := w.drop()
		w.insist("registrations that went", func() error { return w.awaitGone(h.name) })
	}
}

// find looks up a node that is registered.
func (w *worker) find(name string, port uint16) error {
	got, found, err := w.dial.Lookup(name)
	if err == nil && (!found || got != port) {
		err = fmt.Errorf("%w: %s: found %v, port %d, should be %d", rig.ErrWrong, name, found, got, port)
	}
	return err
}

// awaitGone looks up a node that has gone until it is not found.
func (w *worker) awaitGone(name string) error {
	for end := time.Now().Add(rig.Patience); ; time.Sleep(time.Millisecond) {
		_, found, err := w.dial.Lookup(name)
		switch {
		case err != nil:
			return err
		case !found:
			return nil
		case time.Now().After(end):
			return fmt.Errorf("%w: %s is registered after its end", rig.ErrWrong, name)
		}
		w.tally.add("lookups before an end was noticed")
	}
}

func (w *worker) lookUp() {
	if w.rng.IntN(4) == 0 {
		w.insist("lookups of nobody", func() error {
			_, found, err := w.dial.Lookup("nobody")
			if err == nil && found {
				err = fmt.Errorf("%w: nobody is found", rig.ErrWrong)
			}
			return err
		})
		return
	}
	s := w.anySteady()
	w.insist("lookups of steady nodes", func() error { return w.find(s.name, s.port) })
}

// list asks for the list, in which no steady node may be missing.
func (w *worker) list() {
	w.insist("lists", func() error {
		list, err := w.dial.List()
		if err != nil {
			return err
		}
		return w.complete(list)
	})
	w.rest(20 * time.Millisecond)
}

// complete says which steady node a list lacks.
func (w *worker) complete(list map[string]uint16) error {
	for _, s := range w.steady {
		if port, listed := list[s.name]; !listed || port != s.port {
			return fmt.Errorf("%w: the list has %s: %v, at port %d, should be %d", rig.ErrWrong, s.name, listed, port, s.port)
		}
	}
	return nil
}

// command asks for what is not allowed while nodes are registered, and for the dump.
func (w *worker) command() {
	s := w.anySteady()
	switch w.rng.IntN(3) {
	case 0:
		w.insist("requests to end", func() error {
			answer, err := w.dial.Ask(rig.Kill())
			if err == nil && len(answer) == 0 {
				err = rig.ErrClosed
			}
			if err == nil && string(answer) != "NO" {
				err = fmt.Errorf("%w: a request to end is answered %q", rig.ErrWrong, answer)
			}
			return err
		})
	case 1:
		// Closed unanswered is what should be; a reset is that as well.
		if answer, _ := w.dial.Ask(rig.Stop(s.name)); len(answer) > 0 {
			w.tally.fail("a request to unregister a node is answered %q", answer)
		}
		w.tally.add("requests to unregister a node")
		w.insist("lookups of steady nodes", func() error { return w.find(s.name, s.port) })
	default:
		w.insist("dumps", func() error {
			answer, err := w.dial.Ask(rig.Dump())
			if err == nil && len(answer) == 0 {
				err = rig.ErrClosed
			}
			if n := bytes.Count(answer, []byte("active name")); err == nil && n < len(w.steady) {
				err = fmt.Errorf("%w: %d names in the dump, at least %d are registered", rig.ErrWrong, n, len(w.steady))
			}
			return err
		})
	}
	w.rest(20 * time.Millisecond)
}
