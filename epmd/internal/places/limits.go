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
	LoopbackLimited             bool // MaxConnsPerPeer counts for loopback too
	MaxUnfinished, MaxRefused   int
	MaxUnfinishedPerPeer        int
	MaxPending                  int // bytes
	KeepAlive                   time.Duration
	MaxHeld                     int // transports of one connection
}

// peerBits is how much of an IPv6 address tells one peer from another: the rest is a
// machine's own to choose, and it may choose as many as it likes.
const peerBits = 64

// peerOf is the peer that an address counts for.
func peerOf(a netip.Addr) netip.Addr {
	if !a.Is6() || a.Is4In6() {
		return a
	}
	network, _ := a.Prefix(peerBits) // fails for more bits than an address has
	return network.Addr().WithZone(a.Zone())
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
