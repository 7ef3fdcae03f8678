package epmd

import (
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// portable is the engine for any net.Listener: a goroutine for each listener
// and each connection.
type portable struct {
	config   *config
	report   *reporter
	registry *registry.Registry
	log      *slog.Logger

	arriving atomic.Int64 // accepted, and not in the table yet

	spare   spare
	wg      sync.WaitGroup // every goroutine
	stopped chan struct{}  // closed when all connections are dropped
	drained chan struct{}  // closed when ending and no request is under way

	mu        sync.Mutex
	daemon    *session.Daemon // from the first serve on
	watch     *watch          // likewise; nil if there can be none
	listeners []net.Listener
	conns     map[registry.Owner]*conn
	last      registry.Owner
	table     table[*conn]
	ending    bool      // no more connections
	stopping  bool      // stopped is closed
	silentEnd time.Time // when ending: until when silent connections may begin
	err       error     // why it ended
}

// newPortable makes an engine that serves nothing yet.
func newPortable(c *config) *portable {
	e := &portable{
		config:   c,
		report:   c.report,
		registry: c.registry,
		log:      c.report.log,
		stopped:  make(chan struct{}),
		drained:  make(chan struct{}),
		conns:    make(map[registry.Owner]*conn),
	}
	e.table.init(c.limits)
	return e
}

func (e *portable) serve(lns []net.Listener, left *held) error {
	if err := e.add(lns); err != nil {
		closeAll(lns)
		left.close()
		return err
	}
	e.restore(left)
	for _, ln := range lns {
		e.log.Debug("listening", "address", ln.Addr())
		go e.accept(ln)
	}
	<-e.stopped
	e.wg.Wait()
	e.watch.close()
	e.spare.lend()
	return e.err
}

// add takes the listeners in, unless the server has ended.
func (e *portable) add(lns []net.Listener) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ending {
		return e.err
	}
	if e.daemon == nil {
		e.watch = newWatch()
		e.spare.keep()
		d := e.config.daemon(lns)
		d.Sweep = e.sweep
		e.daemon = &d
	}
	e.listeners = append(e.listeners, lns...)
	e.wg.Add(len(lns))
	return nil
}

// sweep releases the registrations of connections that have ended, although
// their goroutines may not have run yet.
func (e *portable) sweep([]byte) { e.watch.sweep(e.registry.Release) }

func (e *portable) addrs() []net.Addr {
	e.mu.Lock()
	lns := slices.Clone(e.listeners)
	e.mu.Unlock()
	var out []net.Addr
	for _, ln := range lns {
		out = append(out, ln.Addr())
	}
	return out
}

func (e *portable) count() gauges { return e.table.count() }
