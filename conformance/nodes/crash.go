package nodes

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goepmd/goepmd/wire"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// creation is what the daemon told the node when it registered.
func (n *node) creation(t *trial) uint32 {
	c, err := strconv.ParseUint(n.eval(t, "erlang:system_info(creation)"), 10, 32)
	t.must(err)
	return uint32(c)
}

// crash: a node that dies leaves its name at once, and comes back as another life.
func crash() []scenario {
	return each("crash",
		"a killed node's name is free at once; when it comes back its creation is one higher, and its peers find it",
		"a node could not come back, or be taken for the one that died",
		func(t *trial, otp int) {
			s := spec{otp: otp, name: fmt.Sprintf("k%d", otp)}
			k, n := t.newNode(s), t.node(short(otp))
			n.reach(t, k, tcp)
			first := k.creation(t)
			k.kill(t)
			// The process has ended. Who registers now must not be told that the name is taken.
			byHand, second := t.register(wire.Node{Name: s.name, Port: 1, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5})
			t.equal(first+1, second, "creation right after the crash")
			t.must(byHand.Close())
			t.gone(s.name)
			t.equal("pang", n.ping(t, k.name()), "ping to the dead %s", k.name())

			k = t.newNode(s)
			t.equal(second+1, k.creation(t), "creation of the next life")
			n.reach(t, k, tcp)
			k.reach(t, n, tcp)
			k.kill(t)
			t.gone(s.name)
		})
}
