package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// barrierRequest looks up a name that nobody has.
var barrierRequest = frame([]byte("z~nobody~"))

// Errors of a daemon that a scenario cannot go on with: the target's fault, not the suite's.
var (
	errUnanswered = errors.New("a lookup beside it is not answered")
	errSilent     = fmt.Errorf("the daemon does not answer within %v", patience)
)

// barrier returns when the daemon has answered two lookups, one after the other. A
// daemon that serves all its connections in one loop has then dealt with everything that
// was sent before: the second lookup cannot be read in the round of the loop in which
// the first one was accepted. A daemon that answers and does not close passes: only a
// scenario judges.
func barrier(ctx context.Context, d Daemon) error {
	for range 2 {
		c, err := d.Dial(ctx, Route{})
		if err != nil {
			return err
		}
		got, err := exchange(ctx, c, barrierRequest, answered)
		if err != nil {
			return err
		}
		if len(got) == 0 {
			return errUnanswered
		}
	}
	return nil
}

// exchange sends a request, reads until the daemon closes, or has sent enough and then a
// moment nothing more, and closes the connection.
func exchange(ctx context.Context, c Conn, request []byte, enough func(got []byte) bool) ([]byte, error) {
	err := c.Send(request)
	var got []byte
	state := StillOpen
	for begun := time.Now(); err == nil && state == StillOpen; {
		before := len(got)
		got, state, err = c.Recv(got, tick)
		switch {
		case err != nil || state != StillOpen || len(got) > before:
		case enough(got):
			return got, c.Close()
		case ctx.Err() != nil:
			err = context.Cause(ctx)
		case time.Since(begun) > patience:
			err = errSilent
		}
	}
	return got, errors.Join(err, c.Close())
}

// answered says that an answer has begun; untilClosed that only its end is enough, as of a
// list.
func answered(got []byte) bool { return len(got) > 0 }
func untilClosed([]byte) bool  { return false }
