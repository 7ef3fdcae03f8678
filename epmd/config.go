package epmd

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// config is what a server gives its engine. An engine knows no server.
type config struct {
	registry *registry.Registry
	report   *reporter
	limits   limits
	// daemon makes what the sessions share, once, for the first listeners.
	daemon func([]net.Listener) session.Daemon

	acceptDelay, writeDelay time.Duration
	exitIdle                time.Duration // for the log; when to end, the server says
	measureLatency          bool
	connsKept               bool

	// lent says that another process may hold descriptors of connections.
	lent atomic.Bool
}

// shuts says that a connection has to be ended for all who hold it, since closing this
// process's descriptor might not end it.
func (c *config) shuts(why cause) bool {
	return c.lent.Load() || c.connsKept && why != causeShutdown
}

// idleEnd logs why the server ends.
func (c *config) idleEnd() {
	c.report.log.Warn("ends, since no node has been registered for long", "exit_idle", c.exitIdle)
}

// The pauses of a listener after a failed accept: long enough to let others end, short
// enough to be back soon.
const (
	shortestPause = 5 * time.Millisecond
	longestPause  = time.Second
)

// silentGrace is the time that a shutdown leaves to connections that have sent nothing
// yet: their request may be on its way.
const silentGrace = 100 * time.Millisecond

// shownBits is how many bits of an owner dumps show: in the place of a file
// descriptor a small number is expected, and a list in blocks tells its length.
const shownBits = 24
