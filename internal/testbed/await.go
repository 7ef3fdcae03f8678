package testbed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// ErrEnded says that a daemon has ended before it listened.
var ErrEnded = errors.New("it ended at once")

// closing is how long a daemon may take to close what it has answered, before it is used.
const closing = 200 * time.Millisecond

// lookUpNobody asks for a name that nobody has.
const lookUpNobody = "\x00\x09z~nobody~"

// ErrLate says that a daemon does not listen, or does not answer, within [Patience].
var ErrLate = fmt.Errorf("not within %v", Patience)

// AwaitListening returns when a daemon answers a lookup at a port of 127.0.0.1, with any
// bytes, or closes in place of an answer: then it listens at all its addresses. It fails with
// [ErrEnded] when ended is closed before, and with [ErrLate] when it takes longer than a busy
// machine explains.
func AwaitListening(ctx context.Context, port uint16, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, Patience, ErrLate)
	defer cancel()
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := firstAnswer(ctx, port)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("a lookup at port %d is not answered: %w", port, ErrLate)
		case !errors.Is(err, ErrRefused):
			return err
		}
		select {
		case <-time.After(pause):
		case <-ended:
			return ErrEnded
		case <-ctx.Done():
			return fmt.Errorf("nobody listens on port %d: %w", port, context.Cause(ctx))
		}
	}
}

// firstAnswer looks a name up, and returns when the first bytes come, or the end.
func firstAnswer(ctx context.Context, port uint16) error {
	c, err := Dial(ctx, net.Dialer{}, Loopback(port))
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // nothing is lost in it
	if err := c.Send([]byte(lookUpNobody)); err != nil {
		return err
	}
	wait := Patience
	if until, bound := ctx.Deadline(); bound {
		wait = min(wait, time.Until(until))
	}
	if _, err = c.Recv(nil, wait); err == nil {
		_, _ = c.Recv(nil, closing) // whether it closes is not asked here
	}
	if errors.Is(err, io.EOF) || errors.Is(err, ErrReset) {
		return nil
	}
	return err
}
