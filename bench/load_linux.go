package bench

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// The phases of a load. Only what ends while it is measured is counted.
const (
	warming int32 = iota
	measured
	done
)

// A client does one operation after the other on a thread of its own.
type client struct {
	took   []time.Duration // of each that succeeded
	failed map[string]int
}

// failurePause keeps a client whose operations fail at once from taking the CPU that the
// others are measured with.
const failurePause = time.Millisecond

func (c *client) run(step func() error, phase *atomic.Int32) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for {
		begun := time.Now()
		err := step()
		took := time.Since(begun)
		now := phase.Load()
		switch {
		case now == done:
			return
		case err != nil:
			if now == measured {
				c.failed[failure(err)]++
			}
			time.Sleep(failurePause)
		case now == measured:
			c.took = append(c.took, took)
		}
	}
}

// failure is what failures are counted by: few different texts.
func failure(err error) string {
	var no syscall.Errno
	if errors.As(err, &no) {
		return no.Error()
	}
	return err.Error()
}

// runLoad registers the nodes, lets clients do what the mode says, and reads the
// accounts before and after.
func runLoad(ctx context.Context, p Plan, m Mode, d *daemon, set *nodes) (Side, error) {
	held := fill(ctx, d, set, p.Clients)
	defer held.close()
	s := Side{Held: len(held.fds), Stopped: held.stopped}
	if s.Held < len(set.all) || ctx.Err() != nil {
		return s, nil
	}
	steps, err := newSteps(m, d, set, held, p.Clients)
	if err != nil {
		s.Stopped = err.Error()
		return s, nil
	}
	clients := make([]client, p.Clients)
	var phase atomic.Int32
	var wg sync.WaitGroup
	for i := range clients {
		c := &clients[i]
		c.took = make([]time.Duration, 0, int(p.Time.Seconds()*20000)+1024)
		c.failed = map[string]int{}
		wg.Go(func() {
			defer steps[i].end()
			c.run(steps[i].do, &phase)
		})
	}
	// Whatever happens, the clients end before their sockets and the daemon do.
	defer wg.Wait()
	defer phase.Store(done)

	pause(ctx, p.Time/5)
	from, err := d.read()
	if err != nil {
		return s, err
	}
	phase.Store(measured)
	pause(ctx, p.Time)
	phase.Store(done)
	to, err := d.read()
	if err != nil {
		return s, err
	}
	wg.Wait()
	s.Load = &Load{Failed: map[string]int{}}
	s.Load.account(from, to)
	s.Load.add(clients)
	return s, nil
}

// add adds up what clients did.
func (l *Load) add(clients []client) {
	var all []time.Duration
	for _, c := range clients {
		all = append(all, c.took...)
		for why, n := range c.failed {
			l.Failed[why] += n
		}
	}
	slices.Sort(all)
	l.Ops = len(all)
	l.P50, l.P99, l.P999 = percentile(all, 0.5), percentile(all, 0.99), percentile(all, 0.999)
}

// pause waits, at most until the context ends, which the caller looks at.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
