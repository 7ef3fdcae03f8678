package nodes

import (
	"fmt"

	"github.com/goepmd/goepmd/wire"
)

// registered: what a node tells of itself is what a lookup tells.
func registered() []scenario {
	return each("register",
		"a node is looked up as what it is: normal, TCP, versions 6 to 5, no extra field, and the port on which it listens",
		"peers would go to a wrong port, or speak a wrong version",
		func(t *trial, otp int) {
			for _, s := range []spec{short(otp), long(otp)} {
				n := t.node(s)
				got := t.lookup(s.name)
				t.equal(wire.Node{
					Name: s.name, Port: got.Port, Type: wire.NodeTypeNormal, Protocol: wire.ProtocolTCP, Highest: 6, Lowest: 5,
				}, got, "lookup of %s", s.name)
				n.expect(t, "true", "lists:member(%d, [P || S <- erlang:ports(), "+
					"{error, enotconn} =:= inet:peername(S), {ok, P} <- [inet:port(S)]])", got.Port)
			}
		})
}

// listed: both kinds of node list all nodes as the daemon does.
func listed() []scenario {
	return each("names",
		"net_adm:names lists every node of every version, with its port",
		"tools that look for nodes would miss some",
		func(t *trial, otp int) {
			for _, v := range versions {
				if t.stage.hall.images[fmt.Sprint(v)] != "" {
					t.node(short(v))
					t.node(long(v))
				}
			}
			ports := t.ports()
			for name, port := range ports {
				t.equal(t.lookup(name).Port, port, "the port of %s in the list", name)
			}
			want := portList(ports)
			for _, call := range []string{"names()", "names('127.0.0.1')"} {
				for _, s := range []spec{short(otp), long(otp)} {
					t.node(s).expect(t, want, "element(2, {ok, _} = begin {ok, L} = net_adm:%s, {ok, lists:sort(L)} end)", call)
				}
			}
		})
}
