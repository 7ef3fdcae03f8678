package epmd

import (
	"net/netip"
	"slices"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/wire"
)

// daemon is what the sessions of a server share, but for its engine's part.
func (s *Server) daemon(c *engine.Config, port uint16) session.Daemon {
	return session.Daemon{
		Registry:            c.Registry,
		Port:                port,
		Dialect:             s.dialect(),
		RelaxedCommandCheck: s.RelaxedCommandCheck,
		Policy:              s.policy(),
		PacketTimeout:       c.Limits.PacketTimeout,
		TimeoutRestarts:     s.TimeoutRestarts,
	}
}

// policy is who may make which request, as the fields say.
func (s *Server) policy() session.Policy {
	p := session.Policy{
		Lookup: plain(s.AllowLookup), Names: plain(s.AllowNames),
		Register: plain(s.AllowRegister), Stop: plain(s.AllowStop),
	}
	if hook := s.Allow; hook != nil {
		p.Allow = func(peer session.Peer, t wire.Tag) bool { return hook(Conn(peer.(report.Subject).About()), t) }
	}
	return p
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
