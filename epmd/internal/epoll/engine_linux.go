package epoll

import (
	"encoding/binary"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// Engine is the engine for Linux: one goroutine, the loop, does everything, so
// that a request costs little more than its system calls. A kept connection is a
// small record, and a descriptor that epoll watches.
//
// These measurements led to this form, as the CPU time of a lookup on a bare loop: to
// accept in a thread of its own, blocking, is no cheaper (7.5 µs) than to wait for
// connections and all else in one place (7.3); MSG_MORE before the close saves 1.4 µs;
// TCP_DEFER_ACCEPT 0.3 µs, which is not worth that silent connections are seen late; a
// look at which registered connections have ended, before each answer, costs 0.1 µs.
// Waiting with a timeout costs 2 µs, for its timer, so there is one timer for all, which
// is rarely set. Waiting in the kernel unknown to Go's scheduler saves another 6 %, at
// the price that for as long nothing else runs on that processor: too high in somebody
// else's program. On the whole engine these made no difference: to lock the loop to a
// thread; another congestion control, batch scheduling, longer or shorter turns on the
// processor; to look for closed connections in sweeps alone. To do so for those that
// close at once did: see fresh. Several loops were not tried: one takes in more than two
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
	woken, rung       bool             // there are orders; a time-out may be over
	reading           timeouts         // of requests
	writing           timeouts         // of replies that peers do not read
	delayed           timeouts         // of WriteDelay
	awaiting          timeouts         // of registrations that wait for a taken name
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
	inHook    bool     // the loop stands still in a hook, which may ask for a descriptor
	over      bool     // it takes no more orders
	addresses []net.Addr
}

// The numbers under which epoll watches other descriptors than connections: slot 0, and
// one of these in place of the generation; those from idListener on are listeners.
const (
	idWake = iota
	idTimer
	idListener
)

// now is the time since the engine's start.
func (e *Engine) now() time.Duration { return time.Since(e.started) }

// tick looks at the clock, if latencies are measured: after each wait and each answer,
// so that the time of a request begins when the one before it was over.
func (e *Engine) tick() {
	if e.config.MeasureLatency {
		e.looked = e.now()
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
	// The write fails only if the counter is full, and then the loop is awake.
	_, _ = unix.Write(e.wake, binary.NativeEndian.AppendUint64(nil, 1))
	return true
}

// obeyOrders runs the orders.
func (e *Engine) obeyOrders() {
	var count [8]byte
	_, _ = unix.Read(e.wake, count[:]) // how often it was woken does not matter
	e.mu.Lock()
	orders := e.orders
	e.orders = nil
	e.mu.Unlock()
	for _, f := range orders {
		f()
	}
}
