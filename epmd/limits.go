package epmd

import (
	"time"

	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/registry"
)

// The defaults of the limits of a [Server], and its fixed limits.
const (
	// DefaultPacketTimeout is that of OTP's epmd.
	DefaultPacketTimeout = 60 * time.Second
	// DefaultWriteTimeout is as long as a request may take.
	DefaultWriteTimeout = 60 * time.Second
	// DefaultTakenGrace is more than the end of a connection was seen to take, and less
	// than anybody notices.
	DefaultTakenGrace = 10 * time.Millisecond
	// DefaultMaxConns bounds MaxConns where files are plenty.
	DefaultMaxConns = 1 << 18
	// DefaultMaxUnfinished and DefaultMaxRefused bound what connections cost
	// that hold no registration: some 10 KiB each.
	DefaultMaxUnfinished = 1 << 13
	DefaultMaxRefused    = 1 << 13
	// DefaultMaxPendingBytes is 64 MiB.
	DefaultMaxPendingBytes = 1 << 26
	// DefaultKeepAlive lets a machine that is gone be noticed within two minutes.
	DefaultKeepAlive = 60 * time.Second

	// MaxAddresses is the most addresses that may be named to listen on, loopback ones
	// included, as in OTP 29.
	MaxAddresses = 13
	// ShutdownGrace is the time that ServeContext leaves to requests under
	// way when its context ends.
	ShutdownGrace = 5 * time.Second

	// reservedFiles are left to the program when MaxConns is derived from the
	// limit of open files.
	reservedFiles = 32
	// requestConns are left to requests when MaxConns is derived: that many
	// connections less can be kept, so that lookups are answered when it is full.
	requestConns = 16
)

// resolveLimits fills in the defaults, for a process that may open so many
// files; 0 is not known.
func (s *Server) resolveLimits(files int) places.Limits {
	conns := DefaultMaxConns
	if files > 0 {
		conns = min(conns, max(files-reservedFiles, files/2, 1))
	}
	l := places.Limits{
		PacketTimeout: orDuration(s.PacketTimeout, DefaultPacketTimeout),
		WriteTimeout:  orDuration(s.WriteTimeout, DefaultWriteTimeout),
		MaxConns:      orInt(s.MaxConns, conns),
		MaxPending:    orInt(s.MaxPendingBytes, DefaultMaxPendingBytes),
		KeepAlive:     orDuration(s.KeepAlive, DefaultKeepAlive),
		MaxHeld:       orInt(s.MaxTransportsPerConn, registry.DefaultMaxHeld),
	}
	l.MaxKept = l.MaxConns
	if s.MaxConns == 0 {
		l.MaxKept -= min(requestConns, l.MaxConns/4)
	}
	quarter := max(min(l.MaxConns, conns)/4, 1)
	l.MaxConnsPerPeer = orInt(s.MaxConnsPerPeer, quarter)
	l.LoopbackLimited = s.MaxConnsPerPeer > 0
	l.MaxUnfinished = orInt(s.MaxUnfinished, min(quarter, DefaultMaxUnfinished))
	l.MaxUnfinishedPerPeer = places.Unlimited
	if s.MaxConnsPerPeer >= 0 && s.MaxUnfinished >= 0 {
		l.MaxUnfinishedPerPeer = (l.MaxUnfinished + 3) / 4
	}
	l.MaxRefused = orInt(s.MaxRefused, min(quarter, DefaultMaxRefused))
	return l
}

// orInt and orDuration read a field: zero is the default, negative is no limit.
func orInt(v, byDefault int) int {
	switch {
	case v == 0:
		return byDefault
	case v < 0:
		return places.Unlimited
	}
	return v
}

func orDuration(v, byDefault time.Duration) time.Duration {
	if v == 0 {
		return byDefault
	}
	return max(v, 0)
}
