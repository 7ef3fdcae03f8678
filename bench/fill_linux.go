package bench

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// parked are registrations that stay.
type parked struct {
	fds     []int
	nodes   []*node         // whose they are
	times   []time.Duration // since the begin, when each was registered; sorted
	stopped string          // what happened to the first that could not be
}

// fillBlock is the first block of source addresses of those who register; each client
// has a block, as each client of a load has one from loadBlock on.
const (
	fillBlock = 2
	loadBlock = fillBlock + MaxClients
)

// fill registers the nodes, by several clients at once, until one cannot be.
func fill(ctx context.Context, d *daemon, set *nodes, clients int) *parked {
	p := &parked{}
	var (
		next  atomic.Int64
		stop  atomic.Bool
		mu    sync.Mutex
		wg    sync.WaitGroup
		begun = time.Now()
	)
	for c := range min(clients, len(set.all)) {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			dial := newDialer(d.Port, byte(fillBlock+c))
			var fds []int
			var mine []*node
			var times []time.Duration
			why := ""
			for !stop.Load() && ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(set.all) {
					break
				}
				n := &set.all[i]
				fd, err := dial.registration(n.register)
				if err != nil {
					stop.Store(true)
					why = err.Error()
					break
				}
				fds, mine, times = append(fds, fd), append(mine, n), append(times, time.Since(begun))
			}
			mu.Lock()
			defer mu.Unlock()
			p.fds, p.nodes, p.times = append(p.fds, fds...), append(p.nodes, mine...), append(p.times, times...)
			if p.stopped == "" {
				p.stopped = why
			}
		})
	}
	wg.Wait()
	slices.Sort(p.times)
	return p
}

// close ends all registrations at once.
func (p *parked) close() {
	for _, fd := range p.fds {
		_ = unix.Close(fd) // nothing was left to send
	}
	p.fds = nil
}

// rates are the registrations per second in the first and the last tenth.
func (p *parked) rates() (first, last float64) {
	n := len(p.times)
	k := n / 10
	if k == 0 {
		return 0, 0
	}
	return perSecond(k, p.times[k-1]), perSecond(k, p.times[n-1]-p.times[n-1-k])
}

func perSecond(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}
