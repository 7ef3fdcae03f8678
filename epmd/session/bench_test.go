package session_test

import (
	"fmt"
	"testing"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// BenchmarkRequest is a connection's whole life without its socket.
func BenchmarkRequest(b *testing.B) {
	for _, nodes := range []int{10, 1000, 100_000} {
		s := newSim()
		for i := range nodes {
			_, err := s.daemon.Registry.Register(registry.Owner(i+1), wire.Node{Name: fmt.Sprintf("node%d", i), Highest: 6})
			if err != nil {
				b.Fatal(err)
			}
		}
		scratch := make([]byte, session.MaxReplyLen)
		for name, body := range map[string][]byte{
			"lookup": body(wire.TagPortPlease2Req, "node7"),
			"names":  body(wire.TagNamesReq, ""),
		} {
			packet, err := wire.AppendPacket(nil, body)
			if err != nil {
				b.Fatal(err)
			}
			var p session.Peer = loopback
			b.Run(fmt.Sprintf("%s/nodes=%d", name, nodes), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					c := s.daemon.Open(0, p, s.now)
					if res := c.Feed(s.now, packet, scratch); res.Verdict != session.Close {
						b.Fatal(res)
					}
				}
			})
		}
	}
}
