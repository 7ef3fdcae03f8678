package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// TestRegisterKeepsTheName: a registration that comes and goes allocates the copy of its
// name, which the registry keeps, and nothing else; one that is refused too, for whoever
// is told of it.
func TestRegisterKeepsTheName(t *testing.T) {
	s := newSim()
	s.open(loopback).send(register("taken")...)
	scratch := make([]byte, session.MaxReplyLen)
	var p session.Peer = nearPeer{}
	for _, name := range []string{"free", "taken"} {
		packet := packetOf(t, register(name))
		n := testing.AllocsPerRun(100, func() {
			c := s.daemon.Open(7, p, s.now)
			c.Feed(s.now, packet, scratch)
			c.End(registry.ReasonClosed)
		})
		require.Equal(t, 1.0, n, name)
	}
}
