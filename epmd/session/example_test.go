package session_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// onLoopback is a peer on this machine.
type onLoopback struct{}

func (onLoopback) Remote() netip.Addr { return netip.IPv6Loopback() }
func (onLoopback) Local() netip.Addr  { return netip.IPv6Loopback() }

// Two connections without a socket: one registers a node, the other lists it.
func Example() {
	now := time.Unix(1700000000, 0)
	daemon := &session.Daemon{
		Registry: registry.New(registry.Config{Now: func() time.Time { return now }}),
		Port:     4369,
	}

	first := daemon.Open(1, onLoopback{}, now)
	res := first.Feed(now, []byte("\x00\x10x\x03\xe8M\x00\x00\x06\x00\x05\x00\x03foo\x00\x00"), nil)
	fmt.Printf("% x, %v\n", res.Reply, res.Verdict)

	second := daemon.Open(2, onLoopback{}, now)
	res = second.Feed(now, []byte("\x00"), nil) // half of the length
	fmt.Printf("%v, at most %d bytes\n", res.Verdict, second.Want())
	res = second.Feed(now, []byte("\x01n"), nil)
	fmt.Printf("%q, %v\n", res.Reply, res.Verdict)

	first.End(registry.ReasonClosed)
	fmt.Println(daemon.Registry.Len(), "nodes")
	// Output:
	// 76 00 65 53 f1 01, keep
	// more, at most 3058 bytes
	// "\x00\x00\x11\x11name foo at port 1000\n", close
	// 0 nodes
}
