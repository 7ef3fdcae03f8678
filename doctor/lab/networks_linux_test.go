package lab

import (
	"strconv"

	"github.com/goepmd/goepmd/doctor"
)

// networks are set-ups in which something between the machines is in the way.
var networks = []setup{
	{
		name: "firewall-drops-epmd", story: "A firewall on the other machine drops what comes to port 4369.",
		cause: doctor.EPMDFiltered,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x"})
			b.incoming("tcp dport 4369 drop")
			return scene{at: a, ask: "x@b", cure: cure{do: func() { b.shell("nft flush ruleset") }}}
		},
	},
	{
		name: "firewall-prohibits-epmd", story: "A firewall on the other machine refuses port 4369 by ICMP, as administratively prohibited.",
		cause: doctor.EPMDFiltered,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x", image: "27"})
			b.incoming("tcp dport 4369 reject with icmpx admin-prohibited")
			return scene{at: a, ask: "x@b", cure: cure{do: func() { b.shell("nft flush ruleset") }}}
		},
	},
	{
		name: "firewall-resets-epmd", story: "A firewall on the other machine resets connections to port 4369: from here that looks as if there were no EPMD.",
		cause: doctor.EPMDUnreachable,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x"})
			b.incoming("tcp dport 4369 reject with tcp reset")
			return scene{at: a, ask: "x@b", cure: cure{do: func() { b.shell("nft flush ruleset") }}}
		},
	},
	{
		name: "firewall-drops-answers", story: "A firewall on the other machine drops what comes from its port 4369.",
		cause: doctor.EPMDFiltered,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x"})
			b.outgoing("tcp sport 4369 drop")
			return scene{at: a, ask: "x@b", cure: cure{do: func() { b.shell("nft flush ruleset") }}}
		},
	},
	{
		name: "firewall-here-drops", story: "A firewall on this machine drops what goes to port 4369.",
		cause: doctor.EPMDFiltered,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x"})
			a.outgoing("tcp dport 4369 drop")
			return scene{at: a, ask: "x@b", cure: cure{do: func() { a.shell("nft flush ruleset") }}}
		},
	},
	{
		name: "firewall-drops-node", story: "A firewall on the other machine lets only port 4369 in.",
		cause: doctor.PortFiltered,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x", image: "29"})
			b.incoming("ct state established accept", "tcp dport 4369 accept", "meta l4proto tcp drop")
			return scene{at: a, ask: "x@b", cure: cure{do: func() { b.shell("nft flush ruleset") }}}
		},
	},
	{
		name: "firewall-prohibits-node", story: "A firewall on the other machine refuses all but port 4369 by ICMP.",
		cause: doctor.PortFiltered,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x"})
			b.incoming("ct state established accept", "tcp dport 4369 accept", "meta l4proto tcp reject with icmpx admin-prohibited")
			return scene{at: a, ask: "x@b", cure: cure{do: func() { b.shell("nft flush ruleset") }}}
		},
	},
	{
		name: "firewall-resets-node", story: "A firewall on the other machine resets connections to all but port 4369.",
		cause: doctor.PortRefused,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x"})
			b.incoming("ct state established accept", "tcp dport 4369 accept", "meta l4proto tcp reject with tcp reset")
			return scene{at: a, ask: "x@b", cure: cure{do: func() { b.shell("nft flush ruleset") }}}
		},
	},
	{
		name: "firewall-drops-ipv6", story: "A firewall on the other machine drops IPv6, by which its nodes talk.",
		cause: doctor.EPMDFiltered,
		make: func(w *world) scene {
			a, b := w.dual()
			b.node(spec{name: "x", args: []string{"-proto_dist", "inet6_tcp"}})
			b.incoming("ip6 nexthdr tcp drop")
			return scene{at: a, ask: "x@b", flags: []string{"-ipv6"}, side: spec{args: []string{"-proto_dist", "inet6_tcp"}}, cure: cure{do: func() { b.shell("nft flush ruleset") }}}
		},
	},
	{
		name: "black-hole-for-long-packets", story: "The way passes short packets only, and loses long ones without a word, as tunnels do: TLS comes to no end.",
		cause: doctor.HandshakeSilent,
		make: func(w *world) scene {
			a, b := w.domain()
			ca := newAuthority(w.t)
			b.node(spec{name: "x@b.lab", args: ca.node(b, certificate{padding: 4000})})
			b.outgoing("tcp sport != 4369 meta length > 1000 drop")
			return scene{at: a, ask: "x@b.lab", flags: []string{"-tls"}, side: spec{args: ca.node(a, certificate{})}, cure: cure{do: func() { b.shell("nft flush ruleset") }}}
		},
	},
	{
		name: "no-route", story: "There is no way to the network of the other machine.",
		cause: "host-unreachable",
		make: func(w *world) scene {
			a, b := w.machine("a"), w.machine("b", "10.8.0.3/24")
			b.node(spec{name: "x"})
			return scene{at: a, ask: "x@b", cure: cure{do: func() {
				a.ip("route add 10.8.0.0/24 dev eth0")
				b.ip("route add 10.9.0.0/24 dev eth0")
			}}}
		},
	},
	{
		name: "container-port-not-published", story: "A container's EPMD is published on its host, and its node's port is not.",
		cause: doctor.PortRefused,
		make: func(w *world) scene {
			a, b := w.pair()
			c := b.container("x1", "172.17.0.2/16", "172.17.0.1/16")
			publish(b, c, "4369")
			c.node(spec{name: "x@" + b.addr, image: "27"})
			return scene{at: a, ask: "x@" + b.addr, cure: cure{do: func() { publish(b, c, "1024-65535") }}}
		},
	},
	{
		name: "container-name", story: "A container's EPMD and node are published on its host, and the node is called by the container's name.",
		cause: doctor.NodeNameMismatch,
		make: func(w *world) scene {
			a, b := w.pair()
			c := b.container("c0ffee123456", "172.17.0.2/16", "172.17.0.1/16")
			publish(b, c, "4369", "9100")
			c.node(spec{name: "x", image: "29", args: distPort(9100)})
			return scene{at: a, ask: "x@b", cure: cure{ping: "x@" + c.name, do: func() { a.hosts(a.addr+" a", b.addr+" "+c.name) }}}
		},
	},
	{
		name: "container-address", story: "The node is looked for by its container's address, to which there is no way from here.",
		cause: "host-unreachable",
		make: func(w *world) scene {
			a, b := w.pair()
			c := b.container("x1", "172.17.0.2/16", "172.17.0.1/16")
			publish(b, c, "4369", "9100")
			c.node(spec{name: "x@172.17.0.2", args: distPort(9100)})
			return scene{at: a, ask: "x@172.17.0.2", cure: cure{do: func() { a.ip("route add 172.17.0.0/16 via " + b.addr) }}}
		},
	},
	{
		name: "container-hides-host", story: "A container publishes its EPMD on its host, and so hides the host's own, with which the node is registered.",
		cause: doctor.NameNotRegistered,
		make: func(w *world) scene {
			a, b := w.pair()
			c := b.container("x1", "172.17.0.2/16", "172.17.0.1/16")
			publish(b, c, "4369")
			c.node(spec{name: "y"})
			b.node(spec{name: "x"})
			return scene{at: a, ask: "x@b", cure: cure{do: func() { b.shell("nft flush ruleset") }}}
		},
	},
	{
		name: "container-on-this-machine", story: "The node runs in a container of this machine that publishes nothing.",
		cause: doctor.EPMDUnreachable,
		make: func(w *world) scene {
			a := w.machine("a")
			c := a.container("x1", "172.17.0.2/16", "172.17.0.1/16")
			c.node(spec{name: "x@" + a.addr, image: "27"})
			return scene{at: a, ask: "x@" + a.addr}
		},
	},
}

// dual is two machines that know each other by IPv4 and by IPv6.
func (w *world) dual() (a, b *machine) {
	a, b = w.machine("a", "10.9.0.2/24", "fd09::2/64"), w.machine("b", "10.9.0.3/24", "fd09::3/64")
	for _, m := range []*machine{a, b} {
		m.hosts("10.9.0.2 a", "fd09::2 a", "10.9.0.3 b", "fd09::3 b")
	}
	return a, b
}

// publish has a machine pass on to its container what comes to these ports.
func publish(m, c *machine, ports ...string) {
	rules := "table ip nat {\nchain prerouting {\ntype nat hook prerouting priority -100;\n"
	for _, p := range ports {
		rules += "ip daddr " + m.addr + " tcp dport " + p + " dnat to " + c.addr + "\n"
	}
	m.nft(rules + "}\nchain postrouting {\ntype nat hook postrouting priority 100;\nip saddr 172.17.0.0/16 oif eth0 masquerade\n}\n}\n")
}

// distPort has a node listen at one port.
func distPort(port int) []string {
	p := strconv.Itoa(port)
	return []string{"-kernel", "inet_dist_listen_min", p, "inet_dist_listen_max", p}
}
