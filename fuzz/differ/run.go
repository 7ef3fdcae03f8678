package differ

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Start starts two daemons, with the relaxed command check or without. The context
// bounds the start only.
type Start func(ctx context.Context, relaxed bool) (*Pair, error)

// Run plays generated conversations to pairs of daemons, on several goroutines, each
// with pairs of its own.
type Run struct {
	// Start starts a pair. It must be set.
	Start Start
	// Steps is how many steps to play, at least; zero or less is no limit but
	// the context's end.
	Steps int64
	// Seed is what the conversations are made of: the same seed and number of workers
	// make the same ones.
	Seed uint64
	// Workers is how many goroutines; zero is 1. Width is how many
	// conversations each plays side by side, from 2 to MaxPrefixes; zero is 32.
	Workers, Width int
	// Life is how many conversations a pair lives for; zero is 4096.
	Life int
	// Seeds, if there are any, are changed a little to make every other one of those that
	// are played alone. See [FromScenario].
	Seeds []Conversation
	// AloneEvery is how many conversations come before one that is played alone;
	// zero is 20.
	AloneEvery int
	// Progress, if set, is called every second.
	Progress func(Stats)
	// Found, if set, is called with each difference, shrunk; several calls may run at
	// once.
	Found func(*Difference)

	mu    sync.Mutex
	stats Stats
}

// Stats counts what a run has done.
type Stats struct {
	Conversations, Alone, Steps, Conns, Pairs int64
	// Kinds counts the steps of each kind.
	Kinds [numKinds]int64
	// Differences came again with fresh daemons, to which the conversation was played, or all
	// that the daemons had had before it, too; Unsteady ones did not.
	Differences, Unsteady int64
	Elapsed               time.Duration
}

// ErrDiffers says that the daemons differ, or that they did more than MaxUnsteady times
// without doing so again.
var ErrDiffers = errors.New("the daemons differ")

// MaxUnsteady is how many differences of a run may not come again. A daemon that is wrong now
// and then is wrong again while thousands of conversations are; on a machine that stood still
// for seconds, one may be slow in the middle of one.
const MaxUnsteady = 2

// maxDifferences ends a run: more of them say nothing new.
const maxDifferences = 5

// Play runs until the steps are played or the context ends. Its error is
// ErrDiffers, or a failure of this side.
func (r *Run) Play(ctx context.Context) (Stats, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begun := time.Now()
	var workers, reporter sync.WaitGroup
	stop := make(chan struct{})
	if r.Progress != nil {
		reporter.Go(func() { r.report(begun, stop) })
	}
	for i := range max(r.Workers, 1) {
		workers.Go(func() {
			w := worker{run: r, rand: rand.New(rand.NewPCG(r.Seed, uint64(i)))}
			if err := errors.Join(w.play(ctx), w.stop()); err != nil {
				cancel(err)
			}
		})
	}
	workers.Wait()
	close(stop)
	reporter.Wait()
	s := r.snapshot(begun)
	err := context.Cause(ctx)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = nil // that is how a run without a limit ends
	}
	if err == nil && s.differs() {
		err = ErrDiffers
	}
	return s, err
}

func (r *Run) snapshot(begun time.Time) Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Elapsed = time.Since(begun)
	return s
}

func (r *Run) report(begun time.Time, stop <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.Progress(r.snapshot(begun))
		case <-stop:
			return
		}
	}
}

// count adds what was played, and says whether there is more to do.
func (r *Run) count(c Conversation, alone bool) (more bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.stats
	s.Conversations++
	if alone {
		s.Alone++
	}
	s.Steps += int64(len(c.Steps))
	for _, step := range c.Steps {
		s.Kinds[step.Kind]++
	}
	return (r.Steps <= 0 || s.Steps < r.Steps) && s.Differences < maxDifferences && s.Unsteady <= MaxUnsteady
}

func (s *Stats) differs() bool { return s.Differences > 0 || s.Unsteady > MaxUnsteady }

// connected adds connections.
func (r *Run) connected(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Conns += n
}

// worker plays to two pairs: one for conversations side by side, one for those
// alone.
type worker struct {
	run    *Run
	rand   *rand.Rand
	leases [2]lease
}

// lease is a pair and what it has had.
type lease struct {
	pair    *Pair
	had     history
	relaxed bool
}

func (w *worker) play(ctx context.Context) error {
	width := min(max(orDefault(w.run.Width, 32), 2), MaxPrefixes)
	every := orDefault(w.run.AloneEvery, 20)
	for ctx.Err() == nil {
		more, err := w.together(ctx, width, every)
		if err == nil && more {
			more, err = w.alone(ctx)
		}
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// together plays about n conversations side by side.
func (w *worker) together(ctx context.Context, width, n int) (more bool, err error) {
	more = true
	err = w.lend(ctx, &w.leases[0], width, func(place int) (Conversation, bool) {
		if n--; n < 0 || !more || ctx.Err() != nil {
			return Conversation{}, false
		}
		return w.shareable(place), true
	}, func(c Conversation) { more = w.run.count(c, false) })
	return more, err
}

// shareable makes a conversation that can be shared; most are.
func (w *worker) shareable(place int) Conversation {
	for range 100 {
		if c := Generate(w.rand, Prefix(place)); c.Shareable() {
			return c
		}
	}
	return Conversation{Prefix: Prefix(place)}
}

// alone plays one conversation alone.
func (w *worker) alone(ctx context.Context) (more bool, err error) {
	c := GenerateAlone(w.rand)
	if n := len(w.run.Seeds); n > 0 && w.rand.IntN(2) == 0 {
		c = Mutate(w.rand, w.run.Seeds[w.rand.IntN(n)])
	}
	given := false
	err = w.lend(ctx, &w.leases[1], 1, func(int) (Conversation, bool) {
		first := !given
		given = true
		return c, first
	}, func(c Conversation) { more = w.run.count(c, true) })
	return more, err
}

// lend gives a pair conversations to play, and then looks into what differed.
func (w *worker) lend(ctx context.Context, l *lease, width int, next func(int) (Conversation, bool), done func(Conversation)) error {
	if err := w.renew(ctx, l); err != nil {
		return err
	}
	var found []*Difference
	before := l.pair.Conns
	err := l.pair.Stream(width, l.had.add(width, next), func(c Conversation, d *Difference) {
		done(c)
		if d != nil {
			found = append(found, d)
		}
	})
	w.run.connected(l.pair.Conns - before)
	if len(found) > 0 {
		err = errors.Join(err, w.found(context.WithoutCancel(ctx), found, l))
	}
	return err
}

// renew makes sure that there is a pair. One after the other they are strict and
// relaxed.
func (w *worker) renew(ctx context.Context, l *lease) error {
	if l.pair != nil && !l.pair.Spent() && l.had.conversations() < orDefault(w.run.Life, 4096) {
		return nil
	}
	if l.pair != nil {
		if err := l.pair.Stop(); err != nil {
			return err
		}
	}
	l.relaxed = !l.relaxed
	pair, err := w.run.Start(ctx, l.relaxed)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	l.pair, l.had = pair, nil
	w.run.mu.Lock()
	w.run.stats.Pairs++
	w.run.mu.Unlock()
	return nil
}

func (w *worker) stop() error {
	var errs error
	for _, l := range w.leases {
		if l.pair != nil {
			errs = errors.Join(errs, l.pair.Stop())
		}
	}
	return errs
}

// found plays to fresh daemons what differed, until something does again: each conversation
// alone, and then what the daemons had before. It tells of the first that differs again, since
// what follows a difference may come of it, or else of one that is unsteady.
func (w *worker) found(ctx context.Context, all []*Difference, l *lease) error {
	var again *Difference
	var err error
	for _, d := range all {
		if again, err = Confirm(ctx, w.run.Start, l.relaxed, d.Conversation); again != nil || err != nil {
			break
		}
	}
	if again == nil && err == nil {
		again, err = l.had.confirm(ctx, w.run.Start, l.relaxed)
	}
	if err != nil {
		return err
	}
	w.run.mu.Lock()
	if again == nil {
		w.run.stats.Unsteady++
		again = all[0]
		again.Unsteady = true
	} else {
		w.run.stats.Differences++
	}
	w.run.mu.Unlock()
	again.Relaxed = l.relaxed
	if w.run.Found != nil {
		w.run.Found(again)
	}
	return nil
}

func orDefault(v, byDefault int) int {
	if v > 0 {
		return v
	}
	return byDefault
}
