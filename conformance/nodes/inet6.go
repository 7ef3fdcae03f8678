package nodes

import (
	"fmt"

	"github.com/goepmd/goepmd/internal/testbed"
)

// inet6 is nodes that use IPv6 for everything.
var inet6 = []string{"-proto_dist", "inet6_tcp"}

func short6(otp int) spec { return spec{otp: otp, name: fmt.Sprintf("six%d", otp), args: inet6} }

func long6(otp int) spec {
	return spec{otp: otp, name: fmt.Sprintf("sixl%d", otp), host: "::1", args: inet6}
}

func inet6Group() group {
	over6 := carrier{"tcp", "inet6"}
	g := group{
		first: registered6(),
		lanes: [][]scenario{pings("inet6-short", short6, over6), pings("inet6-long", long6, over6)},
	}
	needIPv6(g.first)
	for _, lane := range g.lanes {
		needIPv6(lane)
	}
	for _, otp := range versions {
		g.warm = append(g.warm, short6(otp), long6(otp))
	}
	return g
}

// needIPv6 skips scenarios on a machine whose loopback lacks IPv6.
func needIPv6(scenarios []scenario) {
	for i, s := range scenarios {
		scenarios[i].run = func(t *trial) {
			if err := testbed.CheckIPv6(); err != nil {
				t.skip("this machine has no ::1: %v", err)
			}
			s.run(t)
		}
	}
}

func registered6() []scenario {
	return each("register-inet6",
		"a node with -proto_dist inet6_tcp registers over IPv6, and lists the nodes over IPv6",
		"hosts without IPv4 could not be part of a cluster",
		func(t *trial, otp int) {
			for _, s := range []spec{short6(otp), long6(otp)} {
				n := t.node(s)
				t.lookup(s.name)
				n.expect(t, "[{0,0,0,0,0,0,0,1}]", "[A || S <- erlang:ports(), {ok, {A, %d}} <- [inet:peername(S)]]", t.daemon().port)
				n.expect(t, "true", "begin {ok, L} = net_adm:names({0,0,0,0,0,0,0,1}), lists:keymember(\"%s\", 1, L) end", s.name)
			}
		})
}
