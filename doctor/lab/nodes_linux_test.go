package lab

import (
	"syscall"

	"github.com/goepmd/goepmd/doctor"
)

// nodes are set-ups in which the node itself is at fault, or what is in its place.
var nodes = []setup{
	{
		name: "node-not-started", story: "Another node runs on the other machine, and not the one that is looked for.",
		cause: doctor.NameNotRegistered,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "y"})
			return scene{at: a, ask: "x@b", cure: cure{do: func() { b.node(spec{name: "x"}) }}}
		},
	},
	{
		name: "node-of-long-ago", story: "What is registered speaks versions of the distribution protocol that nobody speaks any more.",
		cause: doctor.VersionMismatch,
		make: func(w *world) scene {
			a, b := w.pair()
			b.epmd()
			b.us("ancient", "x")
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "node-stopped", story: "The node is stopped by a signal.",
		cause: doctor.HandshakeSilent,
		make: func(w *world) scene {
			a, b := w.pair()
			x := b.node(spec{name: "x", image: "27"})
			x.signal(syscall.SIGSTOP)
			return scene{at: a, ask: "x@b", cure: cure{do: func() { x.signal(syscall.SIGCONT) }}}
		},
	},
	{
		name: "node-stopped-not-asked", story: "One of the nodes on this machine is stopped by a signal.",
		cause: doctor.HandshakeSilent,
		make: func(w *world) scene {
			a := w.machine("a")
			a.node(spec{name: "y"})
			x := a.node(spec{name: "x"})
			x.signal(syscall.SIGSTOP)
			return scene{at: a, ping: "x@a", cure: cure{do: func() { x.signal(syscall.SIGCONT) }}}
		},
	},
	{
		name: "node-dead-name-kept", story: "The node on this machine is dead, and a proxy before EPMD keeps its connection.",
		cause: doctor.StaleRegistration,
		make: func(w *world) scene {
			a := w.machine("a")
			dead(a)
			return scene{at: a, ask: "x"}
		},
	},
	{
		name: "node-dead-name-kept-not-asked", story: "The same, without asking for the name.",
		cause: doctor.StaleRegistration,
		make: func(w *world) scene {
			a := w.machine("a")
			dead(a)
			return scene{at: a, ping: "x@a"}
		},
	},
	{
		name: "node-dead-name-kept-there", story: "The node on the other machine is dead, and a proxy before EPMD keeps its connection.",
		cause: doctor.PortRefused,
		make: func(w *world) scene {
			a, b := w.pair()
			dead(b)
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "node-on-loopback-only", story: "The node on this machine listens on loopback only (inet_dist_use_interface).",
		cause: doctor.PortWrongAddress,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x", image: "29", args: onInterface("127,0,0,1")})
			return scene{at: b, ask: "x", from: a, ping: "x@b"}
		},
	},
	{
		name: "node-on-loopback-only-there", story: "The node on the other machine listens on loopback only: from here its port refuses.",
		cause: doctor.PortRefused,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x", args: onInterface("127,0,0,1")})
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "node-on-another-interface", story: "The node on this machine listens on an interface to which its name does not lead.",
		cause: doctor.PortWrongAddress,
		make: func(w *world) scene {
			a, b := w.machine("a"), w.machine("b", "10.9.0.3/24", "10.8.0.3/24")
			b.node(spec{name: "x", args: onInterface("10,8,0,3")})
			return scene{at: b, from: a, ping: "x@b"}
		},
	},
	{
		name: "node-by-ipv6-only", story: "The node on the other machine takes connections by IPv6 only, and nodes here use IPv4.",
		cause: doctor.IPv6Only,
		make: func(w *world) scene {
			a, b := w.dual()
			b.node(spec{name: "x", args: append([]string{"-proto_dist", "inet6_tcp"}, onInterface("16#fd09,0,0,0,0,0,0,3")...)})
			return scene{at: a, ask: "x@b", cure: cure{side: &spec{args: []string{"-proto_dist", "inet6_tcp"}}}}
		},
	},
	{
		name: "web-server-at-the-node's-port", story: "A web server is registered by the node's name.",
		cause: doctor.NotADistributionPort,
		make: func(w *world) scene {
			a, b := w.pair()
			b.epmd()
			b.us("web", ":8080", "x")
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "web-server-at-a-dead-node's-port", story: "The node is dead, its name is kept, and a web server has its port.",
		cause: doctor.NotADistributionPort,
		make: func(w *world) scene {
			a, b := w.pair()
			deadAt(b, 9100)
			b.us("web", ":9100")
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "mute-program-at-the-node's-port", story: "A program that takes connections and says nothing has a dead node's port.",
		cause: doctor.HandshakeSilent,
		make: func(w *world) scene {
			a, b := w.pair()
			deadAt(b, 9100)
			b.us("mute", ":9100")
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "takes-no-connections", story: "The node on this machine was started with -dist_listen false.",
		cause: "not-listening",
		make: func(w *world) scene {
			a := w.machine("a")
			a.epmd()
			a.node(spec{name: "x", args: []string{"-dist_listen", "false"}})
			return scene{at: a, ask: "x"}
		},
	},
	{
		name: "without-epmd", story: "The node on this machine goes by a fixed port, without EPMD, and others ask EPMD.",
		cause: "without-epmd",
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x", args: fixedPort})
			return scene{at: b, ask: "x", from: a, ping: "x@b", cure: cure{side: &spec{args: fixedPort}}}
		},
	},
}

// dead is a machine whose node x is dead, with its name still registered: what passes
// connections on to EPMD keeps that of the node.
func dead(m *machine) { deadAt(m, 0) }

func deadAt(m *machine, port int) {
	m.epmd()
	m.us("relay", "127.0.0.1:24369", "127.0.0.1:4369")
	s := spec{name: "x", port: 24369, args: []string{"-start_epmd", "false"}}
	if port != 0 {
		s.args = append(s.args, distPort(port)...)
	}
	m.node(s).kill()
}

// onInterface has a node listen on one address, as Erlang writes it.
func onInterface(addr string) []string {
	return []string{"-kernel", "inet_dist_use_interface", "{" + addr + "}"}
}

// fixedPort has nodes go without EPMD.
var fixedPort = []string{"-start_epmd", "false", "-erl_epmd_port", "9001"}
