package dial

import (
	"context"
	"net"
	"time"
)

// Func connects, as net.Dialer.DialContext does.
type Func = func(ctx context.Context, network, address string) (net.Conn, error)

// First connects to the first of some addresses that takes a connection. They are tried
// one by one, so that no EPMD sees a connection on which nothing is said, and each gets
// its share of the time that is left. The error is a [Failure], and an error of the
// context if that has ended.
func First(ctx context.Context, dial Func, addresses []string) (net.Conn, error) {
	var failed Failure
	for i, address := range addresses {
		began := time.Now()
		nc, err := within(ctx, share(ctx, began, len(addresses)-i), dial, address)
		if err == nil {
			return nc, nil
		}
		failed = append(failed, attempt{address, time.Since(began), err})
		if ctx.Err() != nil {
			return nil, ended{failed, context.Cause(ctx)}
		}
	}
	return nil, failed
}

// share is when one of the addresses that are left has had its time; zero is never.
func share(ctx context.Context, now time.Time, left int) time.Time {
	end, bounded := ctx.Deadline()
	if !bounded || left == 1 {
		return end
	}
	return now.Add(end.Sub(now) / time.Duration(left))
}

func within(ctx context.Context, end time.Time, dial Func, address string) (net.Conn, error) {
	if !end.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end)
		defer cancel()
	}
	return dial(ctx, "tcp", address)
}
