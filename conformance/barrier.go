package conformance

import (
	"context"
	"errors"
	"time"
)

// barrierRequest looks up a name that nobody has.
var barrierRequest = frame([]byte("z~nobody~"))

// barrier returns when the daemon has answered two lookups, one after the other. A
// daemon that serves all its connections in one loop has then dealt with everything that
// was sent before: the second lookup cannot be read in the round of the loop in which
// the first one was accepted.
func barrier(ctx context.Context, d Daemon) error {
	for range 2 {
		c, err := d.Dial(ctx, Route{})
		if err != nil {
			return err
		}
		got, err := exchange(c, barrierRequest)
		if err != nil {
			return err
		}
		if len(got) == 0 {
			return errors.New("a lookup beside it is not answered")
		}
	}
	return nil
}

// exchange sends a request and gives all that comes until the daemon closes, and
// closes the connection.
func exchange(c Conn, request []byte) ([]byte, error) {
	err := c.Send(request)
	var got []byte
	state := StillOpen
	for begun := time.Now(); err == nil && state == StillOpen; {
		got, state, err = c.Recv(got, time.Second)
		if time.Since(begun) > patience && state == StillOpen && err == nil {
			err = errors.New("the daemon does not answer")
		}
	}
	return got, errors.Join(err, c.Close())
}
