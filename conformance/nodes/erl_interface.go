package nodes

import (
	"fmt"
	"strings"

	"github.com/goepmd/goepmd/wire"
)

// eiNode starts a C node of erl_interface, which is compiled the first time.
func (t *trial) eiNode(name string) *told {
	const build = `test -x told || gcc -Wall -O1 -pthread -D_REENTRANT -I /usr/lib/erlang/usr/include -L /usr/lib/erlang/usr/lib -o told told.c -lei`
	b, err := t.stage.hall.box(t.ctx, clients)
	t.must(err)
	t.must(b.shell(t.ctx, "cd "+toldFolder+" && "+build))
	return t.told(name, toldFolder+"/told", name, cookie)
}

// eiGroup is C nodes of OTP's own library, and the program erl_call that is made of it.
func eiGroup() group {
	return group{lanes: [][]scenario{{
		{
			name: "nodes-ei", images: []string{clients},
			rule: "a C node of erl_interface is looked up as what it is, type 104; it looks up a node and calls it, and is found by it; ei_unpublish and its end free its name",
			why:  "programs in C would not find Erlang nodes, or not be found",
			run: func(t *trial) {
				n, p := t.eiNode("ei1"), t.node(peer())
				n.registered(t, wire.NodeTypeC, 6)
				n.expect(t, p.name(), "ask %s", p.name())
				t.equal(true, strings.HasPrefix(n.do(t, "ask nobody@%s", host), "not connected"), "a node that nobody knows is not found")
				p.expect(t, "true", "net_kernel:connect_node('%s')", n.full())
				p.expect(t, fmt.Sprintf("[%q]", n.full()), "[atom_to_list(N) || N <- nodes(hidden)]")
				n.end(t)
				t.gone("ei1")
				t.onlyListed("peer")
			},
		},
		{
			name: "nodes-ei-restart", images: []string{clients},
			rule: fmt.Sprintf("a C node of erl_interface that leaves, with STOP_REQ or without, and registers at once is never refused, %d times each; each life has the next creation", starts),
			why:  "a program in C that restarts would fail to, or be taken for the one that ended",
			run: func(t *trial) {
				// The library keeps to itself which creation it was given.
				before, first := t.register(wire.Node{Name: "ei2", Port: 1, Type: wire.NodeTypeC, Highest: 6, Lowest: 6})
				t.must(before.Close())
				t.gone("ei2")
				n := t.eiNode("ei2")
				n.expect(t, "ok", "restart %d", starts)
				n.expect(t, "ok", "drop %d", starts)
				n.registered(t, wire.NodeTypeC, 6)
				n.expect(t, "ok", "unpublish")
				t.gone("ei2")
				n.end(t)
				after, last := t.register(wire.Node{Name: "ei2", Port: 1, Type: wire.NodeTypeC, Highest: 6, Lowest: 6})
				t.equal(first+2*starts+2, last, "the creation after %d starts", 2*starts+1)
				t.must(after.Close())
				t.gone("ei2")
			},
		},
		{
			name: "nodes-erl-call", images: []string{clients},
			rule: "erl_call finds a node and calls it, and leaves no name behind",
			why:  "scripts call nodes so",
			run: func(t *trial) {
				p := t.node(peer())
				printed := t.runIn("erl_call", "erl_call", "-sname", "peer", "-c", cookie, "-a", "erlang node []")
				t.equal(p.name(), strings.Trim(strings.TrimSpace(printed), "'"), "what erl_call printed")
				t.onlyListed("peer")
			},
		},
	}}}
}
