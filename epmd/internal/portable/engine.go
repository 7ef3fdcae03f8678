package portable

import (
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// Engine is the engine for any net.Listener: a goroutine for each listener and each
// connection.
type Engine struct {
	config   *engine.Config
	report   *report.Report
	registry *registry.Registry
	log      *slog.Logger

	arriving atomic.Int64 // accepted, and not in the table yet

	spare   sockets.Spare
	wg      sync.WaitGroup // every goroutine
	stopped chan struct{}  // closed when all connections are dropped
	drained chan struct{}  // closed when ending and no request is under way

	mu        sync.Mutex
	daemon    *session.Daemon // from the first Serve on
	watch     *watch          // from the first Serve on; nil if the system has none
	listeners []*listener
	conns     map[registry.Owner]*conn
	last      registry.Owner
	table     places.Table[*conn]
	ending    bool      // no more connections
	stopping  bool      // stopped is closed
	silentEnd time.Time // when ending: until when silent connections may begin
	err       error     // why it ended
}

// New makes an engine that serves nothing yet.
func New(c *engine.Config) *Engine {
	e := &Engine{
		config:   c,
		report:   c.Report,
		registry: c.Registry,
		log:      c.Report.Log,
		stopped:  make(chan struct{}),
		drained:  make(chan struct{}),
		conns:    make(map[registry.Owner]*conn),
	}
	e.table.Init(c.Limits)
	return e
}

// Listen adds listeners, and connections that another server has left, and serves them from
// then on. If it fails, nothing has changed.
func (e *Engine) Listen(lns []net.Listener, left *engine.Held) (*engine.Serving, error) {
	for _, ln := range lns {
		if err := sockets.Usable(ln); err != nil {
			return nil, fmt.Errorf("epmd: cannot serve a listener: %w", err)
		}
	}
	if err := adopt(left); err != nil {
		return nil, err
	}
	serving := engine.NewServing(len(lns))
	added, err := e.add(lns, serving)
	if err != nil {
		return nil, err
	}
	e.restore(left)
	for _, l := range added {
		e.log.Debug("listening", "address", l.Addr())
		go e.accept(l)
	}
	return serving, nil
}

// Wait returns when the engine has ended and none of its goroutines is left, or when all
// listeners of one Serve have failed and the engine goes on. It says which, and why.
func (e *Engine) Wait(s *engine.Serving) (ended bool, why error) {
	select {
	case <-e.stopped:
		e.wait()
		return true, e.err
	case why = <-s.Failed():
		return false, why
	}
}

// wait returns when a stopped engine has no goroutine left, and releases its descriptors.
func (e *Engine) wait() {
	e.wg.Wait()
	e.watch.close()
	e.spare.Close()
}

// add takes the listeners in, unless the server has ended.
func (e *Engine) add(lns []net.Listener, serving *engine.Serving) ([]*listener, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ending {
		return nil, engine.ErrEnds
	}
	if e.daemon == nil {
		e.watch = newWatch()
		e.spare.Reserve()
		d := e.config.Daemon(lns)
		d.Sweep = e.sweep
		e.daemon = &d
	}
	var added []*listener
	for _, ln := range lns {
		added = append(added, &listener{ln, serving})
	}
	e.listeners = append(e.listeners, added...)
	e.wg.Add(len(added))
	return added, nil
}

// sweep releases the registrations of connections that have ended, although
// their goroutines may not have run yet: at least those of the name, or all without one.
func (e *Engine) sweep(name []byte) { e.watch.sweep(e, name) }

// Addrs are the addresses of the listeners.
func (e *Engine) Addrs() []net.Addr {
	e.mu.Lock()
	lns := slices.Clone(e.listeners)
	e.mu.Unlock()
	var out []net.Addr
	for _, l := range lns {
		out = append(out, l.Addr())
	}
	return out
}

// Count is how many connections there are.
func (e *Engine) Count() places.Gauges { return e.table.Count() }
