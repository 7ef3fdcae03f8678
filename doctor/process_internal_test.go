package doctor

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestProcessRead: command lines as they were seen on Linux.
func TestProcessRead(t *testing.T) {
	const erl = "/usr/lib/erlang/erts-13.1.5/bin/beam.smp -- -root /usr/lib/erlang -bindir /usr/lib/erlang/erts-13.1.5/bin -progname erl -- -home /root "
	const rabbit = erl + "-epmd_port 24369 -- -pa  -noinput -s rabbit boot -boot start_sasl -syslog logger [] -kernel prevent_overlapping_partitions false"
	for _, c := range []struct {
		name, line, env string
		want            Process
	}{
		{"plain", erl + "--", "", Process{}},
		{"short", erl + "-- -noshell -sname a", "", Process{Node: "a"}},
		{"long", erl + "-epmd_port 24369 -- -name a@b.lab -setcookie x", "", Process{Node: "a@b.lab", EPMDPort: "24369"}},
		{"port by its environment", erl + "-- -sname a", "ERL_EPMD_PORT=4370", Process{Node: "a", EPMDPort: "4370"}},
		{"a program's own arguments", erl + "-- -sname a -extra -name b -dist_listen false", "", Process{Node: "a"}},
		{"dynamic", erl + "-- -sname undefined@host -remsh x", "", Process{}},
		{"not listening", erl + "-- -sname a -dist_listen false", "", Process{Node: "a", NotListening: true}},
		{"listening", erl + "-- -sname a -dist_listen true", "", Process{Node: "a"}},
		{"module", erl + "-- -sname a -epmd_module my_epmd", "", Process{Node: "a", WithoutEPMD: "-epmd_module my_epmd"}},
		{"module by kernel", erl + "-- -sname a -kernel x 1 epmd_module my_epmd", "", Process{Node: "a", WithoutEPMD: "-kernel epmd_module my_epmd"}},
		{"port of all nodes", erl + "-- -sname a -start_epmd false -erl_epmd_port 9001", "", Process{Node: "a", WithoutEPMD: "-erl_epmd_port 9001"}},
		{"none", erl + "-- -sname a -no_epmd", "", Process{Node: "a", WithoutEPMD: "-no_epmd"}},
		{"TLS", erl + "-- -sname a -proto_dist inet_tls", "", Process{Node: "a", TLS: true}},
		{"IPv6 and TLS", erl + "-- -sname a -proto_dist inet_tcp inet6_tls", "", Process{Node: "a", TLS: true, IPv6: true}},
		{"RabbitMQ", rabbit, "RABBITMQ_NODENAME=bunny@h", Process{Node: "bunny@h", EPMDPort: "24369"}},
		{"RabbitMQ by default", rabbit, "", Process{Node: "rabbit", EPMDPort: "24369"}},
		{"RabbitMQ's tool", erl + "-- -boot no_dot_erlang -noinput -hidden -run escript start -escript main rabbitmqctl_escript -extra /usr/sbin/rabbitmqctl", "RABBITMQ_NODENAME=bunny@h", Process{}},
		{"ejabberd", erl + "-- -noinput", "ERLANG_NODE=ejabberd@localhost", Process{Node: "ejabberd@localhost"}},
		{"ejabberd's tool", erl + "-- -noinput -sname ctl-3-ejabberd@localhost", "ERLANG_NODE=ejabberd@localhost", Process{Node: "ctl-3-ejabberd@localhost"}},
		{"release", erl + "-- -noshell -s elixir start_cli", "RELEASE_NODE=app@h RELEASE_DISTRIBUTION=name RELEASE_COMMAND=start", Process{Node: "app@h"}},
		{"release without distribution", erl + "-- -noshell -s elixir start_cli", "RELEASE_NODE=app@h RELEASE_DISTRIBUTION=none RELEASE_COMMAND=start", Process{}},
		{"a release's evaluation", erl + "-- -noshell -s elixir start_cli", "RELEASE_NODE=app@h RELEASE_DISTRIBUTION=name RELEASE_COMMAND=eval", Process{}},
		{"a name in the command line counts", erl + "-- -sname b", "RELEASE_NODE=app@h RELEASE_DISTRIBUTION=name", Process{Node: "b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := make(map[string]string)
			for _, v := range strings.Fields(c.env) {
				name, value, _ := strings.Cut(v, "=")
				env[name] = value
			}
			var p Process
			p.read(strings.Split(c.line, " "), func() map[string]string { return env })
			c.want.Program = "beam.smp"
			require.Equal(t, c.want, p)
		})
	}
	var epmd Process
	epmd.read([]string{"/usr/bin/epmd", "-daemon", "-port", "24369"}, func() map[string]string { return nil })
	require.Equal(t, Process{Program: "epmd", EPMDPort: "24369"}, epmd)
}
