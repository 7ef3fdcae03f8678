package session_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// nearPeer costs nothing to ask.
type nearPeer struct{}

var near = netip.AddrFrom4([4]byte{127, 0, 0, 1})

func (nearPeer) Remote() netip.Addr { return near }
func (nearPeer) Local() netip.Addr  { return near }

// filledSim is a daemon with so many nodes, from node0 on.
func filledSim(b *testing.B, nodes int) *sim {
	b.Helper()
	s := newSim()
	for i := range nodes {
		_, err := s.daemon.Registry.Register(registry.Owner(i+1), wire.Node{Name: fmt.Sprintf("node%d", i), Highest: 6})
		if err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// packetOf is a whole request.
func packetOf(b testing.TB, body []byte) []byte {
	b.Helper()
	packet, err := wire.AppendPacket(nil, body)
	if err != nil {
		b.Fatal(err)
	}
	return packet
}

// BenchmarkRequest is a connection's whole life without its socket.
func BenchmarkRequest(b *testing.B) {
	requests := []struct {
		name    string
		body    []byte
		verdict session.Verdict
	}{
		{"lookup", body(wire.TagPortPlease2Req, "node7"), session.Close},
		{"lookup-nothing", body(wire.TagPortPlease2Req, "nobody"), session.Close},
		{"names", body(wire.TagNamesReq, ""), session.Close},
		{"garbage", body('?', ""), session.Close},
		{"register-taken", register("node7"), session.Keep},
		{"register", register("another"), session.Keep},
	}
	for _, nodes := range []int{10, 1000, 100_000} {
		s := filledSim(b, nodes)
		scratch := make([]byte, session.MaxReplyLen)
		var p session.Peer = nearPeer{}
		for _, r := range requests {
			packet := packetOf(b, r.body)
			b.Run(fmt.Sprintf("%s/nodes=%d", r.name, nodes), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					c := s.daemon.Open(1<<40, p, s.now)
					if res := c.Feed(s.now, packet, scratch); res.Verdict != r.verdict {
						b.Fatal(res)
					}
					c.End(registry.ReasonClosed)
				}
			})
		}
	}
}

// BenchmarkPieces is a lookup that arrives in two pieces, of which the session must keep
// the first.
func BenchmarkPieces(b *testing.B) {
	s := filledSim(b, 10)
	scratch := make([]byte, session.MaxReplyLen)
	packet := packetOf(b, body(wire.TagPortPlease2Req, "node7"))
	var p session.Peer = nearPeer{}
	b.ReportAllocs()
	for b.Loop() {
		c := s.daemon.Open(1<<40, p, s.now)
		c.Feed(s.now, packet[:5], scratch)
		if res := c.Feed(s.now, packet[5:], scratch); res.Verdict != session.Close {
			b.Fatal(res)
		}
	}
}
