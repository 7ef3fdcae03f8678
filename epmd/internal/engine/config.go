package engine

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// Config is what a server gives its engine. An engine knows no server.
type Config struct {
	Registry *registry.Registry
	Locals   *Locals
	Report   *report.Report
	Limits   places.Limits
	// Daemon makes what the sessions share, once, for the first listeners.
	Daemon func([]net.Listener) session.Daemon
	// Ended is told of an engine that it drops everything, before anybody can see that it
	// has ended. It may be called again.
	Ended func(engine any)

	AcceptDelay, WriteDelay time.Duration
	ExitIdle                time.Duration // for the log; when to end, the server says
	MeasureLatency          bool
	ConnsKept               bool

	// TakenGrace is how long a registration waits for a taken name, and Waiters who does; 0
	// and nil for none.
	TakenGrace time.Duration
	Waiters    *Waiters

	// Lent says that another process, which was to be the successor, may hold descriptors
	// of connections.
	Lent atomic.Bool
	// Killed says that a KILL_REQ ends the server, and with it the connections that a
	// supervisor keeps.
	Killed atomic.Bool
}

// Shuts says that a connection has to be ended for all who hold it, since closing this
// process's descriptor might not end it. At the end of the server a supervisor's stay open.
func (c *Config) Shuts(why places.Cause) bool {
	if c.ConnsKept && why == places.CauseShutdown {
		return c.Killed.Load()
	}
	return c.ConnsKept || c.Lent.Load()
}

// IdleEnd logs why the server ends.
func (c *Config) IdleEnd() {
	c.Report.Log.Info("ends, since no node has been registered for long", "exit_idle", c.ExitIdle)
}

// The pauses of a listener after a failed accept: long enough to let others end, short
// enough to be back soon.
const (
	ShortestPause = 5 * time.Millisecond
	LongestPause  = time.Second
)

// SilentGrace is the time that a shutdown leaves to connections that have sent nothing
// yet: their request may be on its way.
const SilentGrace = 100 * time.Millisecond

// ShownBits is how many bits of an owner dumps show: in the place of a file
// descriptor a small number is expected, and a list in blocks tells its length.
const ShownBits = 24
