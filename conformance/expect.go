package conformance

import (
	"context"
	"fmt"
	"time"
)

// expect looks at what comes on a connection, and whether it is closed then.
func (p *play) expect(ctx context.Context, event Event, s Step) (*Failure, error) {
	if p.conns[s.conn] == nil {
		if err := p.open(ctx, s.conn, Route{}); err != nil {
			return nil, err
		}
	}
	w := watch{conn: p.conns[s.conn], want: s.want, closing: s.state == "closed", values: p.values}
	if err := p.watch(ctx, &w, s.after); err != nil {
		return nil, err
	}
	event.Expected, event.Got, event.State = s.want, w.got, "open"
	if w.closed {
		event.State = "closed"
	}
	failure := w.failure(p.values)
	// On a busy machine the step before may be over long after the daemon has seen it.
	if took := time.Since(p.first); failure == nil && s.after.max > 0 && took < s.after.min {
		failure = &Failure{
			What:     fmt.Sprintf("it closed after %v, too early", took.Round(time.Millisecond)),
			Expected: s.want, Got: w.got, At: len(w.got),
		}
	}
	p.note(event, failure != nil)
	return failure, nil
}

// watch is a look at a connection.
type watch struct {
	conn    Conn
	want    Bytes
	closing bool // that it is closed is expected
	values  *bindings

	got    []byte
	closed bool
}

// watch reads until what is expected is there, something else is, or nothing
// more comes.
func (p *play) watch(ctx context.Context, w *watch, after span) error {
	if after.max > 0 {
		return w.until(ctx, p.last.Add(after.max))
	}
	// Most is there at once.
	if err := w.until(ctx, time.Now().Add(5*tick)); err != nil {
		return err
	}
	switch {
	case p.quiet:
		if !w.settled() {
			return w.until(ctx, time.Now().Add(patience/2))
		}
		return w.still(quietOpen)
	case w.closed || w.wrong():
		return nil
	}
	if err := barrier(ctx, p.daemon); err != nil {
		// A daemon that ends answers nobody; its connections end, too.
		if late := w.until(ctx, time.Now().Add(lastChance)); late != nil || w.closing && w.settled() {
			return late
		}
		return err
	}
	if !w.settled() {
		return w.until(ctx, time.Now().Add(lastChance))
	}
	if p.looped {
		return w.still(0)
	}
	return w.still(p.settle)
}

// until reads until all is settled, or a time.
func (w *watch) until(ctx context.Context, end time.Time) error {
	for !w.settled() && !w.closed && !w.wrong() && time.Now().Before(end) && ctx.Err() == nil {
		if err := w.look(min(tick, time.Until(end))); err != nil {
			return err
		}
	}
	return nil
}

// still looks once more whether anything comes that should not.
func (w *watch) still(wait time.Duration) error {
	if w.closed || w.wrong() {
		return nil
	}
	return w.look(wait)
}

func (w *watch) look(wait time.Duration) error {
	var state State
	var err error
	w.got, state, err = w.conn.Recv(w.got, wait)
	w.closed = state != StillOpen
	return err
}

// fits compares what has come, without keeping anything.
func (w *watch) fits() *mismatch {
	try := w.values.clone()
	return try.match(w.want, w.got)
}

// settled says that all that is expected has happened.
func (w *watch) settled() bool { return w.closed == w.closing && w.fits() == nil }

// wrong says that what has come can never become what is expected.
func (w *watch) wrong() bool {
	m := w.fits()
	return m != nil && !m.early
}

// failure says what is not as it should be, and else keeps the creations.
func (w *watch) failure(values *bindings) *Failure {
	f := &Failure{Expected: w.want, Got: w.got, At: len(w.got)}
	if m := values.match(w.want, w.got); m != nil {
		f.What, f.At = m.what, m.at
		if w.closed && m.early {
			f.What += ", and it is closed"
		}
		return f
	}
	switch {
	case w.closed && !w.closing:
		f.What = "it is closed, but should be open"
	case !w.closed && w.closing:
		f.What = "it is open, but should be closed"
	default:
		return nil
	}
	return f
}
