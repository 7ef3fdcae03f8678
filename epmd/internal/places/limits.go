package places

import (
	"net/netip"
	"time"
)

// Unlimited stands for no limit.
const Unlimited = int(^uint(0) >> 1)

// Limits are a server's limits with their defaults filled in. Durations are 0
// for none.
type Limits struct {
	PacketTimeout, WriteTimeout time.Duration
	MaxConns, MaxKept           int
	MaxConnsPerPeer             int
	LoopbackLimited             bool // maxConnsPerPeer counts for loopback too
	MaxUnfinished, MaxRefused   int
	MaxPending                  int // bytes
	KeepAlive                   time.Duration
	MaxHeld                     int // transports of one connection
}

// peerCounts is whether connections of an address count against
// MaxConnsPerPeer.
func (l Limits) peerCounts(a netip.Addr) bool { return l.LoopbackLimited || !a.IsLoopback() }

// Limit is one of the bounds on connections.
type Limit uint8

const (
	LimitNone Limit = iota
	LimitPeer
	LimitConns
	LimitUnfinished
	LimitRefused
	LimitPending
)

// String is the name of the Server's field.
func (l Limit) String() string {
	return [...]string{"none", "MaxConnsPerPeer", "MaxConns", "MaxUnfinished", "MaxRefused", "MaxPendingBytes"}[l]
}
