package testbed

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrEnded says that a daemon has ended before it listened.
var ErrEnded = errors.New("it ended at once")

// lookUpNobody asks for a name that nobody has.
const lookUpNobody = "\x00\x09z~nobody~"

// AwaitListening returns when a daemon answers a lookup at a port of 127.0.0.1, or closes
// in place of an answer: then it listens at all its addresses. It fails with [ErrEnded]
// when ended is closed before, and when it takes longer than a busy machine explains.
func AwaitListening(ctx context.Context, port uint16, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, Patience, fmt.Errorf("not within %v", Patience))
	defer cancel()
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		_, err := Ask(ctx, Loopback(port), []byte(lookUpNobody))
		if err == nil || errors.Is(err, ErrReset) {
			return nil
		}
		if !errors.Is(err, ErrRefused) {
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
