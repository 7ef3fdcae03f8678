package epoll

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
)

// epoll is the engine for Linux: one goroutine, the loop, does everything, so
// that a request costs little more than its system calls. A kept connection is a
// small record, and a descriptor that epoll watches.
//
// What was measured before it came to this form, as the CPU time of a lookup on a
// bare loop: to accept in a thread of its own, blocking, is no cheaper (7.5 µs)
// than to wait for connections and all else in one place (7.3); MSG_MORE before
// the close saves 1.4 µs; TCP_DEFER_ACCEPT 0.3 µs, which is not worth that silent
// connections are seen late; a look at which registered connections have ended,
// before each answer, costs 0.1 µs. Waiting with a timeout costs 2 µs, for its
// timer, so there is one timer for all, which is rarely set. Waiting in the kernel
// unknown to Go's scheduler saves another 6 %, at the price that for as long
// nothing else runs on that processor: too high in somebody else's program. On the
// whole engine these made no difference: to lock the loop to a thread; another congestion
// control, batch scheduling, longer or shorter turns on the processor. To leave the end
// of all kept connections to sweeps made none either; to leave that of those that end at
// once did: see fresh. Several loops were not tried: one takes in more than two
// processors' worth of clients can send.
type Engine struct {
	config   *engine.Config
	report   *report.Report
	registry *registry.Registry
	log      *slog.Logger
	limits   places.Limits
	started  time.Time

	// The loop's own.
	poll, wake, timer int // descriptors
	daemon            session.Daemon
	slots             slots
	table             places.Table[*socket]
	listeners         []*listener // nil where one was closed
	ready             []registry.Owner
	again             []registry.Owner // ready for the next turn: they had theirs
	unaccepted        bool             // a listener is known to have more connections
	swept             bool             // since the last wait, so that there is nothing new
	woken, rung       bool             // there are orders; it is time for somebody
	reading           timeouts         // for a request
	writing           timeouts         // for an answer to be taken
	delayed           timeouts         // for WriteDelay to pass
	alarm             time.Duration
	looked            time.Duration // at the clock: see tick
	young             young
	fresh             fresh
	turn              uint32 // of the loop
	spare             sockets.Spare
	ending, stopping  bool
	silentEnd         time.Duration
	freeWork          *work
	freeWorks         int
	events            [128]unix.EpollEvent // of a wait
	sweeping          [64]unix.EpollEvent  // of a sweep
	from              address
	in                [wire.MaxPacketLen + 1]byte // the most that a session wants
	scrap             [wire.MaxPacketLen + 1]byte // what arrives on kept connections
	reply             [session.MaxReplyLen]byte

	done chan struct{} // closed when nothing runs any more
	err  error         // why it ended; to read once it is done

	mu        sync.Mutex
	orders    []func() // for the loop to run
	over      bool     // it takes no more orders
	addresses []net.Addr
}

// The numbers under which epoll watches what is no connection: slot 0, and in
// place of the generation one of these, or that of a listener.
const (
	idWake = iota
	idTimer
	idListener
)

// newEpoll begins a loop that serves nothing yet.
func New(c *engine.Config) (*Engine, error) {
	e := &Engine{
		config:   c,
		report:   c.Report,
		registry: c.Registry,
		log:      c.Report.Log,
		limits:   c.Limits,
		started:  time.Now(),
		poll:     -1,
		wake:     -1,
		timer:    -1,
		reading:  timeouts{wait: c.Limits.PacketTimeout},
		writing:  timeouts{wait: c.Limits.WriteTimeout},
		delayed:  timeouts{wait: c.WriteDelay},
		done:     make(chan struct{}),
	}
	e.table.Init(c.Limits)
	if err := e.openFiles(); err != nil {
		e.closeFiles()
		return nil, fmt.Errorf("epmd: cannot make an event loop: %w", err)
	}
	go e.loop()
	return e, nil
}

// open makes the descriptors that the loop needs.
func (e *Engine) openFiles() (err error) {
	if e.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if e.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return err
	}
	if e.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return err
	}
	e.spare.Reserve()
	if err := watchFor(e.poll, unix.EPOLL_CTL_ADD, e.wake, unix.EPOLLIN, idWake<<slotBits); err != nil {
		return err
	}
	return watchFor(e.poll, unix.EPOLL_CTL_ADD, e.timer, unix.EPOLLIN, idTimer<<slotBits)
}

func (e *Engine) closeFiles() {
	for _, fd := range []int{e.poll, e.wake, e.timer} {
		if fd >= 0 {
			closeFile(fd)
		}
	}
	e.spare.Release()
}

func (e *Engine) now() time.Duration { return time.Since(e.started) }

// tick looks at the clock, if latencies are measured: after each wait and each answer,
// so that the time of a request begins when the one before it was over.
func (e *Engine) tick() {
	if e.config.MeasureLatency {
		e.looked = e.now()
	}
}

// loop is the engine's goroutine. The end of connections comes first (see note),
// then requests, then what was asked of the engine from elsewhere.
func (e *Engine) loop() {
	defer close(e.done)
	for !e.stopping {
		e.turn++
		e.watchOld()
		e.ready = append(e.ready, e.again...)
		e.again = e.again[:0]
		if !e.swept || !e.unaccepted && len(e.ready) == 0 {
			e.wait()
		}
		e.swept = false
		for i := 0; i < len(e.ready); i++ {
			if c := e.slots.find(e.ready[i]); c != nil {
				e.handle(c)
			}
		}
		e.ready = e.ready[:0]
		e.acceptAll()
		if e.rung {
			e.rung = false
			e.ring()
		}
		if e.woken {
			e.woken = false
			e.obeyOrders()
		}
	}
	e.mu.Lock()
	e.over = true
	e.mu.Unlock()
	e.obeyOrders()
	if errors.Is(e.err, engine.ErrKilled) {
		e.config.Lent.Store(true) // whoever keeps connections is to let go
	}
	e.slots.all(func(c *socket) { e.drop(c, places.CauseShutdown, engine.ErrClosed) })
	e.closeListeners()
	e.closeFiles()
}

// wait waits for something to happen.
func (e *Engine) wait() {
	block := !e.unaccepted && len(e.ready) == 0
	if block && !e.watchAllFresh() {
		e.wakeAt(e.now() + engine.ShortestPause) // to try again
	}
	n := waitEvents(e.poll, e.events[:], block)
	e.tick()
	for i := range n {
		e.note(&e.events[i])
	}
}

// sweep, which a session calls before it answers, lets the end of registered
// connections take effect first: of all, or at least that of a name. What else has
// happened is noted for later.
func (e *Engine) sweep(name []byte) {
	e.swept = true
	e.sweepFresh(name)
	for {
		n := waitEvents(e.poll, e.sweeping[:], false)
		for i := range n {
			e.note(&e.sweeping[i])
		}
		if n < len(e.sweeping) {
			return
		}
	}
}

// note sorts what has happened. That something has arrived on a kept connection
// ends it at once, or, if it takes more, that its other side has ended; all else has
// its turn.
func (e *Engine) note(ev *unix.EpollEvent) {
	id := registry.Owner(eventID(ev))
	if id&slotMask == 0 {
		switch n := int(id >> slotBits); n {
		case idWake:
			e.woken = true
		case idTimer:
			e.rung = true
		default:
			e.listeners[n-idListener].ready = true
			e.unaccepted = true
		}
		return
	}
	switch c := e.slots.find(id); {
	case c == nil: // it is gone, and the event of no concern to who has its place
	case c.More:
		if ev.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
			e.registry.Release(c.Owner, registry.ReasonClosed)
		}
		e.ready = append(e.ready, id)
	case c.work == nil:
		e.wakeKept(c)
	case c.work.session.Kept():
		e.endUnanswered(c)
		e.ready = append(e.ready, id)
	default:
		e.ready = append(e.ready, id)
	}
}

// order has the loop run a function. It says no if the loop has ended.
func (e *Engine) order(f func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return false
	}
	e.orders = append(e.orders, f)
	// It can fail only when the counter is full, and the loop thus woken already.
	_, _ = unix.Write(e.wake, binary.NativeEndian.AppendUint64(nil, 1))
	return true
}

// obeyOrders runs the orders.
func (e *Engine) obeyOrders() {
	var count [8]byte
	_, _ = unix.Read(e.wake, count[:]) // it only says how often
	e.mu.Lock()
	orders := e.orders
	e.orders = nil
	e.mu.Unlock()
	for _, f := range orders {
		f()
	}
}

func (e *Engine) Serve(lns []net.Listener, left *engine.Held) error {
	taken, err := openListeners(lns)
	if err != nil {
		sockets.CloseListeners(lns)
		err = fmt.Errorf("epmd: cannot take over a listener: %w", err)
		left.Close()
		e.order(func() { e.stop(err) })
	} else if !e.order(func() { e.listen(lns, taken, left) }) {
		closeAll(taken)
		left.Close()
	}
	<-e.done
	return e.err
}

func (e *Engine) Shutdown(ctx context.Context) error {
	e.order(func() { e.end(engine.ErrClosed) })
	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
	}
	short := false
	e.order(func() {
		short = !e.stopping && e.cutsShort()
		e.stop(engine.ErrClosed)
	})
	<-e.done
	if short {
		return ctx.Err()
	}
	return nil
}

func (e *Engine) Close() {
	e.order(func() { e.stop(engine.ErrClosed) })
	<-e.done
}

// end accepts no more, for the given reason, and leaves silent connections a
// short time to begin a request.
func (e *Engine) end(why error) {
	if e.ending {
		return
	}
	e.ending, e.err = true, why
	e.closeListeners()
	e.silentEnd = e.now() + engine.SilentGrace
	e.wakeAt(e.silentEnd)
	e.stopIfDrained()
}

// stop ends the loop.
func (e *Engine) stop(why error) {
	e.end(why)
	e.stopping = true
}

func (e *Engine) stopIfDrained() {
	if e.ending && e.table.UnderWay == 0 {
		e.stopping = true
	}
}

// cutsShort says whether a request that has begun is not answered yet.
func (e *Engine) cutsShort() bool {
	short := false
	e.slots.all(func(c *socket) { short = short || c.UnderWay && c.Begun })
	return short
}

func (e *Engine) Addrs() []net.Addr {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.addresses)
}

// Evict has the loop close connections. It does not wait, since a hook may have
// asked for it, for whom the loop waits.
func (e *Engine) Evict(owners []registry.Owner) {
	if len(owners) > 0 {
		e.order(func() { e.evictNow(owners) })
	}
}

func (e *Engine) Count() places.Gauges { return e.table.Count() }
