package lab

// healthy are set-ups with nothing wrong, most of which look ill.
var healthy = []setup{
	{
		name: "two-machines", story: "Two machines, all as it is by default.",
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x"})
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "one-machine", story: "One machine with three nodes, of OTP 25, 27 and 29, a hidden one among them.",
		make: func(w *world) scene {
			a := w.machine("a")
			a.node(spec{name: "x"})
			a.node(spec{name: "y", image: "27", args: []string{"-hidden"}})
			a.node(spec{name: "z", image: "29"})
			return scene{at: a, ping: "y@a"}
		},
	},
	{
		name: "otp-23-beside-25", story: "The other node is of OTP 23.",
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x", image: "23"})
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "otp-29-beside-25", story: "The other node is of OTP 29.",
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x", image: "29"})
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "hidden", story: "The other node is hidden.",
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x", image: "27", args: []string{"-hidden"}})
			return scene{at: a, ask: "x@b", flags: []string{"-cookie-file", a.put("cookie", cookie)}}
		},
	},
	{
		name: "debian", story: "The name of this machine leads to 127.0.1.1, as Debian has it.",
		make: func(w *world) scene {
			a := w.machine("a")
			a.hosts("127.0.1.1 a")
			a.node(spec{name: "x"})
			return scene{at: a, ping: "x@a"}
		},
	},
	{
		name: "underscore-and-capitals", story: "The host's name has an underscore and capitals.",
		make: func(w *world) scene {
			a, b := w.machine("a"), w.machine("My_Host")
			b.node(spec{name: "x"})
			return scene{at: a, ask: "x@My_Host"}
		},
	},
	{
		name: "address-for-a-name", story: "The node is called by its address.",
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x@" + b.addr, image: "29"})
			return scene{at: a, ask: "x@" + b.addr}
		},
	},
	{
		name: "first-name-server-dead", story: "The first name server is gone, and the second one knows the host.",
		make: func(w *world) scene {
			a, b, server := w.machine("a"), w.machine("b"), w.machine("server")
			server.us("dns", ":53", "b.lab="+b.addr)
			b.hosts(b.addr + " b.lab b")
			b.node(spec{name: "x@b.lab"})
			a.file("resolv.conf", "nameserver 10.9.0.99\nnameserver "+server.addr+"\noptions timeout:1\n")
			return scene{at: a, ask: "x@b.lab"}
		},
	},
	{
		name: "tls", story: "Two machines whose nodes speak TLS, and want certificates.",
		make: func(w *world) scene {
			a, b := w.domain()
			ca := newAuthority(w.t)
			b.node(spec{name: "x@b.lab", args: ca.node(b, certificate{})})
			return scene{at: a, ask: "x@b.lab", flags: []string{"-tls"}, side: spec{args: ca.node(a, certificate{})}}
		},
	},
	{
		name: "tls-not-asked", story: "Two nodes on this machine speak TLS; nobody asked for them, and nobody said so.",
		make: func(w *world) scene {
			a, _ := w.domain()
			args := newAuthority(w.t).node(a, certificate{})
			x := a.node(spec{name: "x@a.lab", args: args})
			a.node(spec{name: "y@a.lab", image: "27", args: args})
			x.eval("net_adm:ping('y@a.lab')") // the first handshake of both
			return scene{at: a, ping: "y@a.lab", side: spec{args: args}}
		},
	},
	{
		name: "allowed", story: "The node allows only certain others (net_kernel:allow/1), the one here among them.",
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x"}).eval("net_kernel:allow(['friend@a'])")
			return scene{at: a, ask: "x@b", flags: []string{"-as", "friend@a"}, side: spec{name: "friend"}}
		},
	},
	{
		name: "allowed-not-asked", story: "A node on this machine allows only certain others.",
		make: func(w *world) scene {
			a := w.machine("a")
			a.node(spec{name: "x", image: "27"}).eval("net_kernel:allow(['friend@a'])")
			return scene{at: a, ping: "x@a", side: spec{name: "friend"}}
		},
	},
	{
		name: "20-silent-c-nodes", story: "20 C nodes on this machine are busy, and answer nobody just now; a node is well.",
		make: func(w *world) scene {
			a := w.machine("a")
			a.epmd()
			a.us("cnodes", "20")
			a.node(spec{name: "x"})
			return scene{at: a, ping: "x@a"}
		},
	},
	{
		name: "container-published", story: "A container's EPMD and node are published on its host, by whose address the node is called.",
		make: func(w *world) scene {
			a, b := w.pair()
			c := b.container("x1", "172.17.0.2/16", "172.17.0.1/16")
			publish(b, c, "4369", "9100")
			c.node(spec{name: "x@" + b.addr, image: "27", args: distPort(9100)})
			return scene{at: a, ask: "x@" + b.addr}
		},
	},
	{
		name: "container-beside-nodes", story: "A container on this machine has an EPMD and a node of its own, which nobody outside needs.",
		make: func(w *world) scene {
			a := w.machine("a")
			c := a.container("x1", "172.17.0.2/16", "172.17.0.1/16")
			c.node(spec{name: "x", image: "29"})
			a.node(spec{name: "x"})
			return scene{at: a, ping: "x@a"}
		},
	},
	{
		name: "in-a-container", story: "The doctor stands in a container, beside the node.",
		make: func(w *world) scene {
			a := w.machine("a")
			c := a.container("x1", "172.17.0.2/16", "172.17.0.1/16")
			c.node(spec{name: "x", image: "27"})
			return scene{at: c, ping: "x@x1"}
		},
	},
	{
		name: "ipv6-only", story: "Two machines have IPv6 only, and their nodes use it.",
		make: func(w *world) scene {
			a, b := w.machine("a", "fd09::2/64"), w.machine("b", "fd09::3/64")
			six := []string{"-proto_dist", "inet6_tcp"}
			b.node(spec{name: "x", args: six})
			return scene{at: a, ask: "x@b", flags: []string{"-ipv6"}, side: spec{args: six}}
		},
	},
	{
		name: "::1-filtered", story: "A firewall drops what goes to ::1, which no node uses.",
		make: func(w *world) scene {
			a := w.machine("a", "10.9.0.2/24", "fd09::2/64")
			a.nft("table ip6 filter {\nchain input {\ntype filter hook input priority 0;\nip6 daddr ::1 drop\n}\n}\n")
			a.node(spec{name: "x"})
			return scene{at: a, ping: "x@a"}
		},
	},
	{
		name: "several-epmds", story: "This machine has two EPMDs at two ports, each with its nodes; one of the second's is asked for by its port.",
		make: func(w *world) scene {
			a := w.machine("a")
			a.node(spec{name: "x"})
			a.node(spec{name: "y", image: "27", port: 24369})
			return scene{at: a, ask: "y", env: []string{"ERL_EPMD_PORT=24369"}, side: spec{port: 24369}}
		},
	},
	{
		name: "firewall-with-two-holes", story: "A firewall drops everything but EPMD's port and that of the node.",
		make: func(w *world) scene {
			a, b := w.pair()
			b.node(spec{name: "x", args: distPort(9100)})
			b.incoming("ct state established accept", "tcp dport { 4369, 9100 } accept", "meta l4proto { tcp, udp } drop")
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "one-interface", story: "EPMD and the node listen on one interface, to which the host's name leads.",
		make: func(w *world) scene {
			a, b := w.machine("a"), w.machine("b", "10.9.0.3/24", "10.8.0.3/24")
			b.epmd("-address", "10.9.0.3")
			b.node(spec{name: "x", args: onInterface("10,9,0,3")})
			return scene{at: b, from: a, ping: "x@b"}
		},
	},
	{
		name: "our-epmd", story: "Our EPMD is in the place of OTP's.",
		make: func(w *world) scene {
			a, b := w.pair()
			b.ours()
			b.node(spec{name: "x"})
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "epmd-started-anew", story: "EPMD was started anew, and the node of OTP 25 has registered again.",
		make: func(w *world) scene {
			a := w.machine("a")
			e := a.epmd()
			a.node(spec{name: "x"})
			e.kill()
			a.epmd()
			a.registered("x")
			return scene{at: a, ping: "x@a"}
		},
	},
	{
		name: "dynamic-name", story: "A node on this machine gets its name from those to whom it connects, and has none yet.",
		make: func(w *world) scene {
			a := w.machine("a")
			a.node(spec{name: "x"})
			a.start(nil, a.erl(spec{name: "undefined"}, "-noinput", "-eval", `io:format("UP~n").`)...).await("UP")
			return scene{at: a, ping: "x@a"}
		},
	},
	{
		name: "takes-no-connections-as-told", story: "A tool on this machine was started with -dist_listen false, and nobody asked for it.",
		make: func(w *world) scene {
			a := w.machine("a")
			a.node(spec{name: "x"})
			a.node(spec{name: "tool", image: "27", args: []string{"-dist_listen", "false"}})
			return scene{at: a, ping: "x@a"}
		},
	},
	{
		name: "rabbitmq", story: "RabbitMQ 3.10, as it is by default.",
		make: func(w *world) scene {
			a := w.machine("a")
			a.rabbit(old)
			return scene{at: a, ping: "rabbit@a"}
		},
	},
	{
		name: "rabbitmq-cluster", story: "A cluster of two nodes of RabbitMQ 4.",
		make: func(w *world) scene {
			a, b := w.pair()
			a.rabbit(later)
			b.rabbit(later)
			b.rabbitctl(later, "stop_app")
			b.rabbitctl(later, "join_cluster", "rabbit@a")
			b.rabbitctl(later, "start_app")
			return scene{at: a, ask: "rabbit@b"}
		},
	},
	{
		name: "ejabberd", story: "ejabberd, called ejabberd@localhost, as it is by default.",
		make: func(w *world) scene {
			a := w.machine("a")
			a.ejabberd()
			return scene{at: a, ping: "ejabberd@localhost", side: spec{name: "witness@localhost"}}
		},
	},
	{
		name: "elixir", story: "A node of Elixir.",
		make: func(w *world) scene {
			a, b := w.pair()
			b.elixir(old, "--sname", "x")
			return scene{at: a, ask: "x@b"}
		},
	},
	{
		name: "without-epmd-as-told", story: "A release goes by a fixed port, without EPMD, and so do those who look for it.",
		make: func(w *world) scene {
			a, b := w.pair()
			b.elixir(later, "--sname", "x", "--erl", "-start_epmd false -erl_epmd_port 9001")
			return scene{at: b, from: a, ping: "x@b", side: spec{args: fixedPort}}
		},
	},
}
