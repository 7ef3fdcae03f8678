package epmd

import (
	"net/netip"
	"time"
)

// unlimited stands for no limit.
const unlimited = int(^uint(0) >> 1)

// limits are a server's limits with their defaults filled in. Durations are 0
// for none.
type limits struct {
	packetTimeout, writeTimeout time.Duration
	maxConns, maxKept           int
	maxConnsPerPeer             int
	loopbackLimited             bool // maxConnsPerPeer counts for loopback too
	maxUnfinished, maxRefused   int
	maxPending                  int // bytes
	keepAlive                   time.Duration
	maxHeld                     int // transports of one connection
}

// peerCounts is whether connections of an address count against
// MaxConnsPerPeer.
func (l limits) peerCounts(a netip.Addr) bool { return l.loopbackLimited || !a.IsLoopback() }

// limit is one of the bounds on connections.
type limit uint8

const (
	limitNone limit = iota
	limitPeer
	limitConns
	limitUnfinished
	limitRefused
	limitPending
)

// String is the name of the Server's field.
func (l limit) String() string {
	return [...]string{"none", "MaxConnsPerPeer", "MaxConns", "MaxUnfinished", "MaxRefused", "MaxPendingBytes"}[l]
}
