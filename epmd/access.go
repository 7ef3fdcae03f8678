package epmd

import (
	"net/netip"
	"slices"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/session"
)

// daemon is what the sessions of a server share, but for its engine's part.
func (s *Server) daemon(c *engine.Config, port uint16) session.Daemon {
	d := session.Daemon{
		Registry:            c.Registry,
		Port:                port,
		Dialect:             s.dialect(),
		RelaxedCommandCheck: s.RelaxedCommandCheck,
		RefuseKill:          s.RefuseKill,
		Policy: session.Policy{
			Lookup: plain(s.AllowLookup), Names: plain(s.AllowNames),
			Register: plain(s.AllowRegister), Stop: plain(s.AllowStop),
		},
		PacketTimeout:   c.Limits.PacketTimeout,
		TimeoutRestarts: s.TimeoutRestarts,
	}
	if c.Waiters != nil {
		d.Awaited = func(name []byte) bool { return c.Waiters.Waiting(name) > 0 }
	}
	s.decideFor(&d, c.Report)
	return d
}

// plain is a copy of a list with the networks of mapped IPv4 addresses in their plain
// form; nil stays nil.
func plain(list []netip.Prefix) []netip.Prefix {
	list = slices.Clone(list)
	for i, p := range list {
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			list[i] = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
	}
	return list
}
