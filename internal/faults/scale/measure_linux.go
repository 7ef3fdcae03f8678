package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goepmd/goepmd/internal/faults/rig"
)

// report is what was measured of one program.
type report struct {
	name  string
	held  int
	full  string // why not more, if so
	empty int64  // bytes resident
	each  float64
	heap  float64 // bytes of live heap for each node; 0: not told
	// first and last are the rates of the first and the last tenth, per second.
	first, last float64
	// few and many are the CPU times of a lookup at 10 nodes and at all of them; many
	// is 0 if it answers nobody then.
	few, many time.Duration
	lost      int
	gone      time.Duration // until nobody was registered any more; 0: never
	left      []left
	back      time.Duration // from then on, until memory was back; 0: never
}

// left is the memory that is left some time after the last was gone.
type left struct {
	after time.Duration
	bytes int64
}

const (
	fillers    = 2
	fewNodes   = 10
	batches    = 7
	batch      = 2000
	settle     = time.Second
	goneWithin = 5 * time.Minute // in an emulated machine
	backWithin = 40 * time.Second
)

// shownAt is when the memory that is left is read for the table.
var shownAt = []time.Duration{time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second}

func nodeName(i int) string { return fmt.Sprintf("node-%06d", i) }

func measure(ctx context.Context, p rig.Program, n int) (report, error) {
	r := report{name: p.Name}
	d, err := rig.Start(ctx, p, rig.Options{})
	if err != nil {
		return r, err
	}
	defer d.Stop()
	f := &fleet{dial: &rig.Dialer{Port: d.Port, Block: 1}, d: d, name: p.Name}
	defer func() { f.closeAll() }()
	if err := f.warmUp(); err != nil {
		return r, err
	}
	time.Sleep(settle)
	if r.empty, err = d.Resident(); err != nil {
		return r, err
	}
	f.fill(fewNodes)
	f.say("lookups at %d nodes", fewNodes)
	if r.few, err = f.lookups(); err != nil {
		return r, err
	}
	f.fill(n)
	r.held, r.full = len(f.conns), f.stopped
	r.first, r.last = f.rates()
	if d.Died() != "" {
		r.full = "it ended: " + d.Died()
		return r, nil
	}
	time.Sleep(settle)
	size, err := d.Resident()
	if err != nil {
		return r, err
	}
	r.each = float64(size-r.empty) / float64(r.held)
	if p.Tells {
		figures, err := d.Figures() // which collects garbage first
		if err != nil {
			return r, err
		}
		r.heap = float64(figures.Heap) / float64(r.held)
	}
	f.say("lookups at %d nodes", r.held)
	if r.many, err = f.lookups(); err != nil {
		r.many = 0 // it is full, and answers nobody
	}
	r.lost = f.lost()
	return r, f.leave(&r, size)
}

// fleet is nodes that are registered.
type fleet struct {
	name string
	d    *rig.Daemon
	dial *rig.Dialer

	mu      sync.Mutex
	conns   []*rig.Conn
	times   []time.Duration
	stopped string
}

// say shows how it goes.
func (f *fleet) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "scale: %s: %s\n", f.name, fmt.Sprintf(format, args...))
}

// warmUp lets the daemon do once what is measured.
func (f *fleet) warmUp() error {
	f.fill(100)
	if _, err := f.dial.List(); err != nil {
		return err
	}
	if _, err := f.lookups(); err != nil {
		return err
	}
	f.closeAll()
	return f.awaitNobody()
}

// fill registers nodes until there are n, or one is refused.
func (f *fleet) fill(n int) {
	var next atomic.Int64
	next.Store(int64(len(f.conns)))
	f.times = nil
	begun := time.Now()
	var wg sync.WaitGroup
	var stop atomic.Bool
	for range fillers {
		wg.Go(func() {
			for !stop.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				c, err := f.dial.Register(nodeName(i), uint16(i))
				f.mu.Lock()
				if err != nil {
					f.stopped = err.Error()
					stop.Store(true)
				} else {
					f.conns = append(f.conns, c)
					f.times = append(f.times, time.Since(begun))
					if tenth := n / 10; tenth > 10 && len(f.conns)%tenth == 0 {
						f.say("%d of %d nodes registered", len(f.conns), n)
					}
				}
				f.mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// rates are those of the first and the last tenth of the last fill.
func (f *fleet) rates() (first, last float64) {
	n := len(f.times)
	k := n / 10
	if k == 0 {
		return 0, 0
	}
	return float64(k) / f.times[k-1].Seconds(), float64(k) / (f.times[n-1] - f.times[n-1-k]).Seconds()
}

// lookups gives the daemon's CPU time for one lookup: the median of some batches.
func (f *fleet) lookups() (time.Duration, error) {
	var times []time.Duration
	for range batches {
		before, err := f.d.CPU()
		if err != nil {
			return 0, err
		}
		var wg sync.WaitGroup
		var failed atomic.Pointer[error]
		for w := range fillers {
			wg.Go(func() {
				for i := w; i < batch; i += fillers {
					_, found, err := f.dial.Lookup(nodeName(i * 7919 % len(f.conns)))
					if err == nil && !found {
						err = fmt.Errorf("%w: a registered node is not found", rig.ErrWrong)
					}
					if err != nil {
						failed.Store(&err)
						return
					}
				}
			})
		}
		wg.Wait()
		if err := failed.Load(); err != nil {
			return 0, *err
		}
		after, err := f.d.CPU()
		if err != nil {
			return 0, err
		}
		times = append(times, (after-before)/batch)
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// lost is how many of the held nodes are not registered any more; all, if the daemon
// answers nobody.
func (f *fleet) lost() int {
	list, err := f.dial.List()
	if err != nil {
		return 0 // a daemon that is full: nobody can tell
	}
	return len(f.conns) - len(list)
}

// leave ends all connections at once, and watches what the daemon makes of it.
func (f *fleet) leave(r *report, full int64) error {
	f.say("all leave")
	begun := time.Now()
	f.closeAll()
	if err := f.awaitNobody(); err != nil {
		return nil //nolint:nilerr // gone is 0, which tells
	}
	gone := time.Now()
	r.gone = gone.Sub(begun)
	f.say("nobody is registered; what memory is left?")
	enough := r.empty + (full-r.empty)/10 + 1<<20
	for time.Since(gone) < backWithin {
		now, err := f.d.Resident()
		if err != nil {
			return err
		}
		took := time.Since(gone)
		if len(r.left) < len(shownAt) && took >= shownAt[len(r.left)] {
			r.left = append(r.left, left{took, now})
		}
		if now <= enough && r.back == 0 {
			r.back = took
		}
		if r.back != 0 && len(r.left) == len(shownAt) {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}

func (f *fleet) closeAll() {
	for _, c := range f.conns {
		c.Close()
	}
	f.conns = nil
}

// awaitNobody waits until nobody is registered.
func (f *fleet) awaitNobody() error {
	var err error
	for end := time.Now().Add(goneWithin); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var list map[string]uint16
		if list, err = f.dial.List(); err == nil && len(list) == 0 {
			return nil
		}
	}
	return fmt.Errorf("nodes are still registered after their end (%w)", err)
}
