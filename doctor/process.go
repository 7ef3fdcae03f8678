package doctor

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Process is a program on this machine that listens, an EPMD, or an Erlang node.
type Process struct {
	PID int
	// Program is its file's name without folders: "epmd", "beam.smp".
	Program string
	// Hidden says that this user sees its command line only: neither its environment and
	// sockets, nor whether it is in another network, as those in containers are.
	Hidden bool
	// Listens is where it takes connections.
	Listens []netip.AddrPort

	// Node is what an Erlang node was told to be called, by -name or -sname, or by the
	// environment of RabbitMQ, ejabberd or a release. It is empty for one without
	// distribution, and one whose name another node gives it.
	Node string
	// EPMDPort is the port of EPMD that it was told, by ERL_EPMD_PORT or -port; empty if
	// there is none, or not for this user to see.
	EPMDPort string
	// NotListening says that it takes no connections of other nodes: -dist_listen false.
	NotListening bool
	// WithoutEPMD is by what it was told to go without EPMD: "-epmd_module my_epmd". Else
	// it is empty.
	WithoutEPMD string
	// IPv6 and TLS say what its -proto_dist is.
	IPv6, TLS bool
}

// isEPMD says whether a program is called as an EPMD is.
func (p Process) isEPMD() bool { return strings.Contains(p.Program, "epmd") }

// isBeam says whether it is Erlang's emulator.
func (p Process) isBeam() bool { return strings.HasPrefix(p.Program, "beam") }

// short is the part of its name before the @.
func (p Process) short() string {
	name, _, _ := strings.Cut(p.Node, "@")
	return name
}

// isNode says whether it is a node of the name before the @.
func (p Process) isNode(name string) bool { return p.short() != "" && p.short() == name }

// listensAt says whether it takes connections at a port, as far as it is to be seen.
func (p Process) listensAt(port uint16) bool {
	return slices.ContainsFunc(p.Listens, func(l netip.AddrPort) bool { return l.Port() == port })
}

// registers says whether it is a node that is to be found by EPMD.
func (p Process) registers() bool {
	return p.Node != "" && !p.NotListening && p.WithoutEPMD == ""
}

// read reads a command line and, of those that matter, an environment.
func (p *Process) read(args []string, environ func() map[string]string) {
	p.Program = filepath.Base(args[0])
	flags := flagsOf(args[1:])
	switch {
	case p.isEPMD():
		p.EPMDPort = flags.last("port", environ()["ERL_EPMD_PORT"])
	case p.isBeam():
		env := environ()
		p.EPMDPort = flags.last("epmd_port", env["ERL_EPMD_PORT"]) // erl writes it there if the variable is set
		p.node(flags, env)
	}
}

// node reads how an Erlang node is called and found.
func (p *Process) node(flags flags, env map[string]string) {
	p.Node = flags.last("name", flags.last("sname", ""))
	if p.Node == "" {
		p.Node = nodeByEnv(flags, env)
	}
	if p.short() == "undefined" {
		p.Node = "" // the node to which it connects names it
	}
	p.NotListening = flags.last("dist_listen", "") == "false"
	p.WithoutEPMD = withoutEPMD(flags)
	for _, carrier := range flags["proto_dist"] {
		p.IPv6 = p.IPv6 || strings.Contains(carrier, "inet6")
		p.TLS = p.TLS || strings.Contains(carrier, "tls")
	}
}

// nodeByEnv is the name of a node that starts its distribution itself, as its environment
// has it. Tools get the environment of the node that they are of, and are none.
func nodeByEnv(flags flags, env map[string]string) string {
	if slices.Contains(flags["run"], "escript") {
		return ""
	}
	if start := flags["s"]; slices.Contains(start, "rabbit") || slices.Contains(start, "rabbit_prelaunch") {
		if name := env["RABBITMQ_NODENAME"]; name != "" {
			return name
		}
		return "rabbit" // by default
	}
	if name := env["ERLANG_NODE"]; name != "" {
		return name // of ejabberd
	}
	command, distributed := env["RELEASE_COMMAND"], env["RELEASE_DISTRIBUTION"]
	starts := command == "" || strings.HasPrefix(command, "start") || strings.HasPrefix(command, "daemon")
	if starts && (distributed == "name" || distributed == "sname") {
		return env["RELEASE_NODE"]
	}
	return ""
}

// withoutEPMD is by what a node was told to go without EPMD.
func withoutEPMD(flags flags) string {
	for _, flag := range []string{"epmd_module", "erl_epmd_port"} {
		if v := flags.last(flag, ""); v != "" {
			return "-" + flag + " " + v
		}
	}
	if _, ok := flags["no_epmd"]; ok {
		return "-no_epmd"
	}
	for i, v := range flags["kernel"] {
		if (v == "epmd_module" || v == "erl_epmd_node_listen_port") && i+1 < len(flags["kernel"]) {
			return "-kernel " + v + " " + flags["kernel"][i+1]
		}
	}
	return ""
}

// flags are those of a command line with their values, such as erl and epmd have.
type flags map[string][]string

func flagsOf(args []string) flags {
	out := make(flags)
	flag := ""
	for _, a := range args {
		switch {
		case a == "-extra":
			return out // what follows is not for erl
		case a == "--":
			flag = "" // what follows it is a comment
		case len(a) > 1 && a[0] == '-':
			flag = a[1:]
			out[flag] = slices.Grow(out[flag], 1)
		case flag != "":
			out[flag] = append(out[flag], a)
		}
	}
	return out
}

// last is the last value of a flag, or another if it has none.
func (f flags) last(flag, other string) string {
	if v := f[flag]; len(v) > 0 {
		return v[len(v)-1]
	}
	return other
}

// portOf reads the port of EPMD that a process was told; 0 is none.
func (p Process) portOf() uint16 {
	n, err := strconv.ParseUint(p.EPMDPort, 10, 16)
	if err != nil {
		return 0 // a node does not start with that
	}
	return uint16(n)
}
