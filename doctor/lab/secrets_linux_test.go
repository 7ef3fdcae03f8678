package lab

import (
	"time"

	"github.com/goepmd/goepmd/doctor"
)

// secrets are set-ups in which the nodes reach each other, and one does not let the other
// in.
var secrets = []setup{
	{
		name: "tls-there-only", story: "The node speaks TLS, and those here do not.",
		cause: doctor.TLSPort,
		make: func(w *world) scene {
			a, b := w.domain()
			ca := newAuthority(w.t)
			b.node(spec{name: "x@b.lab", args: ca.node(b, certificate{})})
			return scene{at: a, ask: "x@b.lab", cure: cure{side: &spec{args: ca.node(a, certificate{})}}}
		},
	},
	{
		name: "tls-here-only", story: "Nodes here speak TLS, and the other does not.",
		cause: doctor.PlainPort,
		make: func(w *world) scene {
			a, b := w.domain()
			b.node(spec{name: "x@b.lab", image: "27"})
			return scene{at: a, ask: "x@b.lab", flags: []string{"-tls"}, side: spec{args: newAuthority(w.t).node(a, certificate{})}, cure: cure{side: &spec{}}}
		},
	},
	{
		name: "certificate-expired", story: "The node's certificate has expired.",
		cause: "tls-certificate",
		make: func(w *world) scene {
			a, b := w.domain()
			ca := newAuthority(w.t)
			b.node(spec{name: "x@b.lab", args: ca.node(b, certificate{until: -time.Hour})})
			return scene{at: a, ask: "x@b.lab", flags: []string{"-tls"}, side: spec{args: ca.node(a, certificate{})}}
		},
	},
	{
		name: "certificate-of-another-host", story: "The node's certificate is that of another host.",
		cause: "tls-certificate",
		make: func(w *world) scene {
			a, b := w.domain()
			ca := newAuthority(w.t)
			b.node(spec{name: "x@b.lab", args: ca.node(b, certificate{host: "c.lab"})})
			return scene{at: a, ask: "x@b.lab", flags: []string{"-tls"}, side: spec{args: ca.node(a, certificate{})}}
		},
	},
	{
		name: "cookies-differ", story: "The nodes have different cookies.",
		cause: doctor.CookieMismatch,
		make: func(w *world) scene {
			a, b := w.domain()
			b.node(spec{name: "x", image: "27", cookie: "another"})
			return scene{at: a, ask: "x@b", flags: []string{"-cookie-file", a.put("cookie", cookie+"\n")}, cure: cure{side: &spec{cookie: "another"}}}
		},
	},
	{
		name: "cookies-differ-by-tls", story: "The nodes have different cookies, and speak TLS.",
		cause: doctor.CookieMismatch,
		make: func(w *world) scene {
			a, b := w.domain()
			args := []string{"-proto_dist", "inet_tls", "-ssl_dist_opt", "server_certfile"}
			file := newAuthority(w.t).issue(b, certificate{})
			b.node(spec{name: "x@b.lab", cookie: "another", args: append(args, file)})
			return scene{
				at: a, ask: "x@b.lab", flags: []string{"-tls", "-cookie-file", a.put("cookie", cookie)},
				side: spec{args: []string{"-proto_dist", "inet_tls"}},
			}
		},
	},
	{
		name: "not-allowed", story: "The node allows only certain others (net_kernel:allow/1), of which the one here is none.",
		cause: doctor.NotAllowed,
		make: func(w *world) scene {
			a, b := w.domain()
			x := b.node(spec{name: "x"})
			x.eval("net_kernel:allow(['friend@a'])")
			return scene{at: a, ask: "x@b", flags: []string{"-as", "stranger@a"}, side: spec{name: "stranger"}, cure: cure{do: func() { x.eval("net_kernel:allow([stranger@a])") }}}
		},
	},
}
