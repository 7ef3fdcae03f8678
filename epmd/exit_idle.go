package epmd

import (
	"sync"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/registry"
)

// ErrIdle: nobody was registered for as long as ExitIdle says.
var ErrIdle = engine.ErrIdle

// idleRetry is when an end is tried again that something under way has put off.
const idleRetry = 100 * time.Millisecond

// idle ends a server when nobody has been registered for long enough. The nil one does
// nothing.
type idleTimer struct {
	after    time.Duration
	registry *registry.Registry
	begin    sync.Once
	quit     chan struct{}
	quitting sync.Once
	running  sync.WaitGroup
}

func newIdleTimer(after time.Duration, r *registry.Registry) *idleTimer {
	if after <= 0 {
		return nil
	}
	return &idleTimer{after: after, registry: r, quit: make(chan struct{})}
}

// start begins to count, the first time that it is called. end ends the server if
// nothing speaks against it, and says whether it has ended.
func (w *idleTimer) start(end func() bool) {
	if w == nil {
		return
	}
	w.begin.Do(func() {
		w.running.Go(func() { w.watch(end) })
	})
}

// stop ends the counting, and returns when nothing of it runs any more.
func (w *idleTimer) stop() {
	if w == nil {
		return
	}
	w.begin.Do(func() {}) // it does not begin any more
	w.quitting.Do(func() { close(w.quit) })
	w.running.Wait()
}

// watch counts from each moment at which the last node has gone.
func (w *idleTimer) watch(end func() bool) {
	events, now := w.registry.Subscribe(64)
	defer events.Close()
	t := time.NewTimer(w.after)
	defer t.Stop()
	seq := now.Seq
	for {
		select {
		case <-w.quit:
			return
		case e := <-events.C:
			// A refusal changes nothing, unless other events were dropped before it.
			changed := e.Kind != registry.Refused || e.Seq != seq+1
			seq = e.Seq
			if changed {
				t.Reset(w.after)
			}
		case <-t.C:
			switch {
			case w.registry.Len() > 0:
				t.Reset(w.after) // the end of that registration is an event
			case len(events.C) > 0:
				t.Reset(0) // after what they tell
			case end():
				return
			default:
				t.Reset(idleRetry)
			}
		}
	}
}
