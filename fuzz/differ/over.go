package differ

import (
	"context"
	"errors"
	"time"

	"github.com/goepmd/goepmd/conformance"
)

// Over makes a target of any daemon that the conformance suite can start: one in a
// container, for instance. One that this package starts itself costs less.
func Over(d conformance.Daemon) Target { return &over{daemon: d} }

type over struct {
	daemon conformance.Daemon
	ask    Conn
}

func (o *over) Port() uint16 { return o.daemon.Port() }
func (o *over) Stop() error  { return o.daemon.Close() }

func (o *over) Dial() (Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := o.daemon.Dial(ctx, conformance.Route{})
	if errors.Is(err, conformance.ErrRefused) {
		err = ErrGone
	}
	return c, err
}

func (o *over) Ask() error {
	c, err := o.Dial()
	if err != nil {
		return err
	}
	o.ask = c
	return c.Send(barrierRequest)
}

func (o *over) Answer(drain func() error) error {
	c := o.ask
	o.ask = nil
	return awaitAnswer(c, drain)
}

func (o *over) Exit() (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return o.daemon.Exit(ctx)
}

// barrierRequest looks up a name that nobody has.
var barrierRequest = frame([]byte("z~barrier"))

// awaitAnswer waits until a lookup is answered, and closes its connection.
func awaitAnswer(c Conn, drain func() error) error {
	var got []byte
	var err error
	end := StillOpen
	for begun := time.Now(); end == StillOpen && time.Since(begun) < patience; {
		if got, end, err = c.Recv(got, 20*time.Millisecond); err != nil {
			break
		}
		if end == StillOpen {
			if err = drain(); err != nil {
				break
			}
		}
	}
	err = errors.Join(err, c.Close())
	if err == nil && (end == StillOpen || len(got) == 0) {
		return ErrGone
	}
	return err
}
