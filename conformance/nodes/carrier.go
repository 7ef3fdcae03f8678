package nodes

import (
	_ "embed"
	"fmt"
)

//go:embed carrier/goepmd_dist.erl
var carrierErl []byte

const (
	// carrierFolder is where the containers have the carrier, for -pa.
	carrierFolder = "/goepmd"
	carrierModule = "goepmd_dist"
)

func carrierSource() map[string][]byte {
	return map[string][]byte{carrierFolder[1:] + "/" + carrierModule + ".erl": carrierErl}
}

// overCarrier is a node with the carrier of this suite.
func overCarrier(otp int) spec {
	return spec{otp: otp, name: fmt.Sprintf("g%d", otp), args: []string{"-pa", carrierFolder, "-proto_dist", "goepmd"}}
}

// carrierGroup is nodes with a carrier that OTP does not know.
func carrierGroup() group {
	g := group{
		lanes: [][]scenario{append(pings("carrier", overCarrier, carrier{"goepmd", "inet"}), outsiders("carrier", overCarrier)...)},
	}
	for _, otp := range versions {
		g.warm = append(g.warm, overCarrier(otp))
	}
	return g
}

// outsiders: a node with the usual carrier finds nodes with another, and does not
// understand them.
func outsiders(kind string, node func(otp int) spec) []scenario {
	return each(kind+"-plain",
		"a node with the usual carrier looks up one with another ("+kind+"), and they do not connect",
		"that pings of such nodes go through their carrier would not be shown",
		func(t *trial, otp int) {
			n, other := t.newNode(spec{otp: otp, name: fmt.Sprintf("p%d", otp)}), t.node(node(otp))
			port := t.lookup(other.spec.name).Port
			n.expect(t, fmt.Sprint(port), "element(2, erl_epmd:port_please(\"%s\", \"%s\"))", other.spec.name, host)
			t.equal("pang", n.ping(t, other.name()), "ping to %s", other.name())
		})
}
