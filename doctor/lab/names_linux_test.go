package lab

import "github.com/goepmd/goepmd/doctor"

// pair is two machines that know each other.
func (w *world) pair() (a, b *machine) { return w.machine("a"), w.machine("b") }

// names are set-ups in which a name leads to no machine, or to a wrong one.
var names = []setup{
	{
		name: "name-unknown", story: "No file and no server knows the other machine's name.",
		cause: doctor.NameResolution,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x"})
			a.hosts(a.addr + " a")
			return scene{at: a, ask: "x@b", cure: cure{do: func() { a.hosts(a.addr+" a", b.addr+" b") }}}
		},
	},
	{
		name: "dns-not-known", story: "The name server answers, and does not know the other machine.",
		cause: doctor.NameResolution,
		make: func(w *world) scene {
			a, b, server := w.machine("a"), w.machine("b"), w.machine("server")
			server.us("dns", ":53", "c.lab=10.9.0.9")
			b.node(spec{name: "x@b.lab", image: "27"})
			a.file("resolv.conf", "nameserver "+server.addr+"\n")
			return scene{at: a, ask: "x@b.lab", cure: cure{do: func() { a.hosts(b.addr + " b.lab") }}}
		},
	},
	{
		name: "dns-dead", story: "The name server of /etc/resolv.conf is gone.",
		cause: doctor.NameResolution,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x@b.lab"})
			a.file("resolv.conf", "nameserver 10.9.0.99\n")
			return scene{at: a, ask: "x@b.lab", cure: cure{do: func() { a.hosts(b.addr + " b.lab") }}}
		},
	},
	{
		name: "dns-stale", story: "The DNS still has the other machine's old address, where nobody is.",
		cause: "host-unreachable",
		make: func(w *world) scene {
			a, b, server := w.machine("a"), w.machine("b"), w.machine("server")
			server.us("dns", ":53", "b.lab=10.9.0.77")
			b.node(spec{name: "x@b.lab", image: "29"})
			a.file("resolv.conf", "nameserver "+server.addr+"\n")
			return scene{at: a, ask: "x@b.lab", cure: cure{do: func() { a.hosts(b.addr + " b.lab") }}}
		},
	},
	{
		name: "hosts-stale-dead", story: "The hosts file here has the other machine's old address, where nobody is.",
		cause: "host-unreachable",
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x"})
			a.hosts(a.addr+" a", "10.9.0.77 b")
			return scene{at: a, ask: "x@b", cure: cure{do: func() { a.hosts(a.addr+" a", b.addr+" b") }}}
		},
	},
	{
		name: "hosts-stale-no-epmd", story: "The hosts file here has the other machine's old address, which is a printer's now: nobody can see from here that it is another machine.",
		cause: doctor.EPMDUnreachable,
		make: func(w *world) scene {
			a, b, c := w.machine("a"), w.machine("b"), w.machine("printer")
			b.node(spec{name: "x"})
			a.hosts(a.addr+" a", c.addr+" b")
			return scene{at: a, ask: "x@b", cure: cure{do: func() { a.hosts(a.addr+" a", b.addr+" b") }}}
		},
	},
	{
		name: "hosts-stale-other-nodes", story: "The hosts file here has the other machine's old address, which is now that of a machine with other nodes.",
		cause: doctor.NameNotRegistered,
		make: func(w *world) scene {
			a, b, c := w.machine("a"), w.machine("b"), w.machine("c")
			b.node(spec{name: "x"})
			c.node(spec{name: "y"})
			a.hosts(a.addr+" a", c.addr+" b")
			return scene{at: a, ask: "x@b", cure: cure{do: func() { a.hosts(a.addr+" a", b.addr+" b") }}}
		},
	},
	{
		name: "hosts-stale-same-node", story: "The hosts file here has the other machine's old address, which is now that of a machine with a node of the same name.",
		cause: doctor.NodeNameMismatch,
		make: func(w *world) scene {
			a, b, c := w.machine("a"), w.machine("b"), w.machine("c")
			b.node(spec{name: "x"})
			c.node(spec{name: "x", image: "27"})
			a.hosts(a.addr+" a", c.addr+" b")
			return scene{at: a, ask: "x@b", cure: cure{do: func() { a.hosts(a.addr+" a", b.addr+" b") }}}
		},
	},
	{
		name: "debian-127.0.1.1", story: "The hosts file here gives the other machine's name the address 127.0.1.1.",
		cause: doctor.ResolvesToLoopback,
		make: func(w *world) scene {
			a, b := w.pair()
			a.hosts(a.addr+" a", "127.0.1.1 b")
			b.node(spec{name: "x"})
			return scene{at: a, ask: "x@b", cure: cure{do: func() { a.hosts(a.addr+" a", b.addr+" b") }}}
		},
	},
	{
		name: "loopback-other-nodes", story: "The hosts file here gives the other machine's name the address 127.0.1.1, and here other nodes run.",
		cause: doctor.ResolvesToLoopback,
		make: func(w *world) scene {
			a, b := w.pair()
			a.hosts(a.addr+" a", "127.0.1.1 b")
			a.node(spec{name: "y"})
			b.node(spec{name: "x", image: "27"})
			return scene{at: a, ask: "x@b", cure: cure{do: func() { a.hosts(a.addr+" a", b.addr+" b") }}}
		},
	},
	{
		name: "loopback-same-node", story: "The hosts file here gives the other machine's name the address 127.0.1.1, and here a node of the same name runs.",
		cause: doctor.ResolvesToLoopback,
		make: func(w *world) scene {
			a, b := w.pair()
			a.hosts(a.addr+" a", "127.0.1.1 b")
			a.node(spec{name: "x"})
			b.node(spec{name: "x"})
			return scene{at: a, ask: "x@b", cure: cure{do: func() { a.hosts(a.addr+" a", b.addr+" b") }}}
		},
	},
	{
		name: "leads-to-own-address", story: "The hosts file here gives the other machine's name an address of this machine on its network.",
		cause: doctor.ResolvesToLoopback,
		make: func(w *world) scene {
			a, b := w.pair()
			a.hosts(a.addr+" a", a.addr+" b")
			a.node(spec{name: "y"})
			b.node(spec{name: "x"})
			return scene{at: a, ask: "x@b", cure: cure{do: func() { a.hosts(a.addr+" a", b.addr+" b") }}}
		},
	},
	{
		name: "own-name-unknown", story: "Nobody knows this machine's own name, neither itself nor others.",
		cause: doctor.OwnNameResolution,
		make: func(w *world) scene {
			a, b := w.pair()
			a.hosts(b.addr + " b")
			b.hosts(b.addr + " b")
			a.node(spec{name: "x"})
			return scene{at: a, from: b, ping: "x@a", cure: cure{do: func() { b.hosts(a.addr+" a", b.addr+" b") }}}
		},
	},
	{
		name: "own-name-elsewhere", story: "This machine's own name leads to the address that it had before.",
		cause: doctor.OwnNameElsewhere,
		make: func(w *world) scene {
			a := w.machine("a")
			a.hosts("10.9.0.77 a")
			a.node(spec{name: "x", image: "29"})
			return scene{at: a, ping: "x@a", cure: cure{do: func() { a.hosts(a.addr + " a") }}}
		},
	},
	{
		name: "only-ipv6-address", story: "The other machine's name has an IPv6 address only, and nodes here use IPv4.",
		cause: doctor.IPv6Only,
		make: func(w *world) scene {
			a, b := w.machine("a", "10.9.0.2/24", "fd09::2/64"), w.machine("b", "fd09::3/64")
			b.node(spec{name: "x", args: []string{"-proto_dist", "inet6_tcp"}})
			return scene{at: a, ask: "x@b", cure: cure{side: &spec{args: []string{"-proto_dist", "inet6_tcp"}}}}
		},
	},
	{
		name: "only-ipv4-address", story: "Nodes here use IPv6, and the other machine's name has an IPv4 address only.",
		cause: doctor.IPv4Only,
		make: func(w *world) scene {
			a, b := w.machine("a", "10.9.0.2/24", "fd09::2/64"), w.machine("b")
			a.hosts(a.addr+" a", "fd09::2 a", b.addr+" b")
			b.node(spec{name: "x"})
			return scene{at: a, ask: "x@b", flags: []string{"-ipv6"}, side: spec{args: []string{"-proto_dist", "inet6_tcp"}}, cure: cure{side: &spec{}}}
		},
	},
	{
		name: "short-and-long", story: "The node has a long name, and a node with a short one looks for it.",
		cause: doctor.NodeNameMismatch,
		make: func(w *world) scene {
			a, b := w.domain()
			b.node(spec{name: "x@b.lab"})
			return scene{at: a, ask: "x@b", cure: cure{ping: "x@b.lab"}}
		},
	},
	{
		name: "another-name-of-the-host", story: "The other machine has another name in the hosts file here than its node uses.",
		cause: doctor.NodeNameMismatch,
		make: func(w *world) scene {
			a, b := w.pair()
			a.hosts(a.addr+" a", b.addr+" db")
			b.node(spec{name: "x", image: "27"})
			return scene{at: a, ask: "x@db", cure: cure{ping: "x@b", do: func() { a.hosts(a.addr+" a", b.addr+" b") }}}
		},
	},
	{
		name: "capitals-in-host", story: "The node is called with capitals in its host's name, and looked for without.",
		cause: doctor.NodeNameMismatch,
		make: func(w *world) scene {
			a, b := w.machine("a"), w.machine("DB")
			a.hosts(a.addr+" a", b.addr+" DB")
			b.node(spec{name: "x"})
			return scene{at: a, ask: "x@db", cure: cure{ping: "x@DB"}}
		},
	},
	{
		name: "capitals-in-name", story: "The node is looked for with a capital that it does not have.",
		cause: doctor.NameNotRegistered,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x"})
			return scene{at: a, ask: "X@b", cure: cure{ping: "x@b"}}
		},
	},
}
