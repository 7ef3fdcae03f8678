package lab

import (
	"syscall"

	"github.com/goepmd/goepmd/doctor"
	"github.com/goepmd/goepmd/internal/otptest"
)

// epmds are set-ups in which EPMD does not do its part.
var epmds = []setup{
	{
		name: "epmd-not-running", story: "No EPMD runs on the other machine, and no node.",
		cause: doctor.EPMDUnreachable,
		make: func(w *world) scene {
			a, _ := w.pair()
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "epmd-killed", story: "EPMD was killed, and a node of OTP 23 does not start it again.",
		cause: doctor.EPMDUnreachable,
		make: func(w *world) scene {
			a, b := w.pair()
			e := b.epmd()
			b.node(spec{name: "x", image: "23"})
			e.kill()
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "epmd-stopped", story: "EPMD is stopped by a signal.",
		cause: doctor.EPMDSilent,
		make: func(w *world) scene {
			a, b := w.pair()
			e := b.epmd()
			b.node(spec{name: "x"})
			e.signal(syscall.SIGSTOP)
			return scene{at: a, ask: "x@b", cure: cure{do: func() { e.signal(syscall.SIGCONT) }}}
		},
	},
	{
		name: "epmd-out-of-files", story: "OTP's EPMD has ended, since others took all connections that its limit of files allows.",
		cause: doctor.EPMDUnreachable,
		make: func(w *world) scene {
			a, b := w.pair()
			e := b.start(nil, "sh", "-c", `ulimit -n 20; exec "$@"`, "sh", otptest.Epmd(w.t), "-d", "-d", "-packet_timeout", "600")
			e.await("entering the main select() loop")
			b.node(spec{name: "x", image: "23"})
			b.us("crowd", "127.0.0.1:4369", "30")
			e.await("error in accept")
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "epmd-for-others", story: "EPMD is told to answer other networks only.",
		cause: doctor.EPMDCloses,
		make: func(w *world) scene {
			a, b := w.pair()
			e := b.ours("-allow_lookup", "10.1.0.0/16", "-allow_names", "10.1.0.0/16")
			b.node(spec{name: "x"})
			return scene{at: a, ask: "x@b", cure: cure{do: func() { again(b, e) }}}
		},
	},
	{
		name: "web-server-at-4369", story: "A web server has EPMD's port.",
		cause: doctor.NotAnEPMD,
		make: func(w *world) scene {
			a, b := w.pair()
			b.us("web", ":4369")
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "mute-proxy-at-4369", story: "A proxy has EPMD's port, takes connections and says nothing.",
		cause: doctor.EPMDSilent,
		make: func(w *world) scene {
			a, b := w.pair()
			b.us("mute", ":4369")
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "epmd-on-loopback-only", story: "EPMD on the other machine listens on loopback only: from here that looks as if there were none.",
		cause: doctor.EPMDUnreachable,
		make: func(w *world) scene {
			a, b := w.pair()
			e := b.epmd("-address", "127.0.0.1")
			b.node(spec{name: "x", image: "27"})
			return scene{at: a, ask: "x@b", cure: cure{do: func() { again(b, e) }}}
		},
	},
	{
		name: "own-epmd-on-loopback-only", story: "EPMD on this machine listens on loopback only.",
		cause: doctor.WrongAddress,
		make: func(w *world) scene {
			a, b := w.pair()
			e := b.epmd("-address", "127.0.0.1")
			b.node(spec{name: "x"})
			return scene{at: b, from: a, ping: "x@b", cure: cure{do: func() { again(b, e) }}}
		},
	},
	{
		name: "own-epmd-on-another-interface", story: "EPMD on this machine listens on an interface to which its name does not lead.",
		cause: doctor.WrongAddress,
		make: func(w *world) scene {
			a, b := w.machine("a"), w.machine("b", "10.9.0.3/24", "10.8.0.3/24")
			e := b.epmd("-address", "10.8.0.3")
			b.node(spec{name: "x"})
			return scene{at: b, ask: "x", from: a, ping: "x@b", cure: cure{do: func() { again(b, e) }}}
		},
	},
	{
		name: "another-port-there", story: "The other machine's nodes run with ERL_EPMD_PORT=24369; this side is told that an EPMD may be there.",
		cause: doctor.PortMismatchEnv,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x", port: 24369})
			return scene{at: a, ask: "x@b", flags: []string{"-also-ports", "24369"}, cure: cure{side: &spec{port: 24369}}}
		},
	},
	{
		name: "another-port-there-not-told", story: "The other machine's nodes run with ERL_EPMD_PORT=24369; from here that looks as if there were no EPMD.",
		cause: doctor.EPMDUnreachable,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x", port: 24369})
			return scene{at: a, ask: "x@b", cure: cure{side: &spec{port: 24369}}}
		},
	},
	{
		name: "another-port-on-this-side", story: "ERL_EPMD_PORT is set on this side only.",
		cause: doctor.PortMismatchEnv,
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x", image: "29"})
			return scene{at: a, ask: "x@b", env: []string{"ERL_EPMD_PORT=24369"}, side: spec{port: 24369}, cure: cure{side: &spec{}}}
		},
	},
	{
		name: "another-port-here", story: "A node on this machine runs with ERL_EPMD_PORT=24369.",
		cause: doctor.PortMismatchEnv,
		make: func(w *world) scene {
			a := w.machine("a")
			a.node(spec{name: "y"})
			a.node(spec{name: "x", port: 24369})
			return scene{at: a, ask: "x", cure: cure{side: &spec{port: 24369}}}
		},
	},
	{
		name: "another-port-here-not-asked", story: "The only node on this machine runs with ERL_EPMD_PORT=24369, and the usual EPMD knows none.",
		cause: doctor.PortMismatchEnv,
		make: func(w *world) scene {
			a := w.machine("a")
			a.epmd()
			a.node(spec{name: "x", port: 24369})
			return scene{at: a, ping: "x@a", cure: cure{side: &spec{port: 24369}}}
		},
	},
	{
		name: "unregistered-not-asked", story: "EPMD was started anew, and a node of OTP 23 on this machine is not registered any more.",
		cause: doctor.RegistrationLost,
		make: func(w *world) scene {
			a := w.machine("a")
			e := a.epmd()
			a.node(spec{name: "x", image: "23"})
			e.kill()
			a.epmd()
			return scene{at: a, ping: "x@a"}
		},
	},
	{
		name: "unregistered", story: "Somebody unregistered a node of OTP 23 on this machine by force; it does not register again.",
		cause: doctor.RegistrationLost,
		make: func(w *world) scene {
			a := w.machine("a")
			a.epmd("-relaxed_command_check")
			a.node(spec{name: "x", image: "23"})
			a.run("", otptest.Epmd(w.t), "-stop", "x")
			return scene{at: a, ask: "x"}
		},
	},
	{
		name: "unregistered-there", story: "Somebody unregistered a node of OTP 23 on the other machine by force: from here that looks as if it did not run.",
		cause: doctor.NameNotRegistered,
		make: func(w *world) scene {
			a, b := w.pair()
			b.epmd("-relaxed_command_check")
			b.node(spec{name: "x", image: "23"})
			b.node(spec{name: "y"})
			b.run("", otptest.Epmd(w.t), "-stop", "x")
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "another-epmd-at-::1", story: "Another EPMD has ::1, where a node with inet6_tcp is registered.",
		cause: doctor.TwoEPMDs,
		make: func(w *world) scene {
			a := w.machine("a", "10.9.0.2/24", "fd09::2/64")
			a.hosts(a.addr+" a", "fd09::2 a")
			a.us("listener", "0.0.0.0:4369", built.epmd)
			a.us("listener", "[::1]:4369", built.epmd)
			a.node(spec{name: "y"})
			a.node(spec{name: "x", args: []string{"-proto_dist", "inet6_tcp"}})
			return scene{at: a, ask: "x"}
		},
	},
	{
		name: "another-epmd-at-the-network", story: "A socket unit has EPMD's port at the network's address, and the nodes register with another EPMD at loopback.",
		cause: doctor.TwoEPMDs,
		make: func(w *world) scene {
			a, b := w.pair()
			ownEPMDs(b)
			b.node(spec{name: "x"})
			return scene{at: b, from: a, ping: "x@b"}
		},
	},
	{
		name: "another-epmd-at-the-network-there", story: "The same on the other machine: from here the name is not registered.",
		cause: doctor.NameNotRegistered,
		make: func(w *world) scene {
			a, b := w.pair()
			ownEPMDs(b)
			b.node(spec{name: "x"})
			return scene{at: a, ask: "x@b"}
		},
	},
}

// again starts an EPMD in the place of another, with which nodes since OTP 25 register again.
func again(m *machine, e *process) {
	e.kill()
	m.epmd()
	m.registered("x")
}

// ownEPMDs gives a machine one EPMD at loopback and one at its network's address.
func ownEPMDs(m *machine) {
	m.us("listener", m.addr+":4369", built.epmd)
	m.us("listener", "127.0.0.1:4369", built.epmd)
}
