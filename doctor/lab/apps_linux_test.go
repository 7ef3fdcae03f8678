package lab

import (
	"context"
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/doctor"
)

// The images with RabbitMQ 3.10 and Elixir, and with RabbitMQ 4, ejabberd and Elixir.
const (
	old   = "apps"
	later = "apps-27"
)

// apps are broken set-ups with the programs that people run.
var apps = []setup{
	{
		name: "rabbitmq-another-port", story: "RabbitMQ 3.10 runs on this machine with ERL_EPMD_PORT=24369, and its tools without.",
		cause: doctor.PortMismatchEnv,
		make: func(w *world) scene {
			a := w.machine("a")
			a.node(spec{name: "y"})
			a.rabbit(old, "ERL_EPMD_PORT=24369")
			return scene{at: a, ask: "rabbit", cure: cure{side: &spec{port: 24369}}}
		},
	},
	{
		name: "rabbitmq-another-port-not-asked", story: "The same, without asking for the name, and with RabbitMQ 4.",
		cause: doctor.PortMismatchEnv,
		make: func(w *world) scene {
			a := w.machine("a")
			a.epmd()
			a.rabbit(later, "ERL_EPMD_PORT=24369")
			return scene{at: a, ping: "rabbit@a", cure: cure{side: &spec{port: 24369}}}
		},
	},
	{
		name: "ejabberd-at-localhost", story: "ejabberd is called ejabberd@localhost, as by default, and looked for by its host's name.",
		cause: doctor.NodeNameMismatch,
		make: func(w *world) scene {
			a, b := w.pair()
			b.ejabberd()
			return scene{at: a, ask: "ejabberd@b"}
		},
	},
	{
		name: "elixir-short-and-long", story: "A node of Elixir with a short name is looked for by a long one.",
		cause: doctor.NodeNameMismatch,
		make: func(w *world) scene {
			a, b := w.domain()
			b.elixir(later, "--sname", "x")
			return scene{at: a, ask: "x@b.lab", cure: cure{ping: "x@b"}}
		},
	},
}

// inImage is a program of an image on this machine.
func (m *machine) inImage(image string, env []string, args ...string) *process {
	m.w.t.Helper()
	all := append([]string{"PATH=/usr/lib/rabbitmq/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "ERL_CRASH_DUMP_BYTES=0"}, env...)
	return m.start(all, append([]string{"chroot", m.root(image)}, args...)...)
}

// rabbit starts RabbitMQ as it is by default, and waits until it is up.
func (m *machine) rabbit(image string, env ...string) *process {
	m.w.t.Helper()
	m.shell(fmt.Sprintf(`cd %s && printf %s >.erlang.cookie && chmod 400 .erlang.cookie && mkdir -p etc/rabbitmq && echo '[].' >etc/rabbitmq/enabled_plugins`, m.root(image), cookie))
	p := m.inImage(image, append([]string{"HOME=/", "RABBITMQ_LOGS=-"}, env...), "rabbitmq-server")
	p.await("Server startup complete")
	return p
}

// rabbitctl runs rabbitmqctl, which must succeed.
func (m *machine) rabbitctl(image string, args ...string) {
	m.w.t.Helper()
	line := []string{"chroot", m.root(image), "env", "HOME=/", "LANG=C.UTF-8",
		"PATH=/usr/lib/rabbitmq/bin:/usr/sbin:/usr/bin:/sbin:/bin", "rabbitmqctl"}
	m.run("", append(line, args...)...)
}

// ejabberd starts ejabberd with the name that it has by default.
func (m *machine) ejabberd() *process {
	m.w.t.Helper()
	config := m.put("ejabberd.yml", "hosts: [localhost]\nlisten: []\nmodules: {}\n")
	return m.untilNode(m.inImage(later, []string{"HOME=/root", "ERL_LIBS=/usr/lib/x86_64-linux-gnu", "EJABBERD_CONFIG_PATH=" + config, "EJABBERD_LOG_PATH=/tmp/ejabberd.log"},
		"erl", "-noinput", "-sname", "ejabberd@localhost", "-setcookie", cookie, "-mnesia", "dir", `"/tmp/spool"`, "-s", "ejabberd",
		"-eval", `lists:keymember(ejabberd, 1, application:which_applications()) orelse io:format("no ejabberd~n"), io:format("UP ~s~n", [node()]).`))
}

// elixir starts a node of Elixir.
func (m *machine) elixir(image string, args ...string) *process {
	m.w.t.Helper()
	line := append([]string{"elixir"}, args...)
	return m.untilNode(m.inImage(image, []string{"HOME=/root"}, append(line, "--cookie", cookie, "--no-halt", "-e", `IO.puts("UP #{node()}")`)...))
}

func (m *machine) untilNode(p *process) *process {
	m.w.t.Helper()
	p.await("UP ")
	return p
}

// registered waits until EPMD knows a name.
func (m *machine) registered(name string) {
	m.w.t.Helper()
	m.w.until(name+" is registered", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		out, err := m.command(ctx, built.epmd, "-names").Output()
		return err == nil && strings.Contains(string(out), "name "+name+" ")
	})
	require.NotEmpty(m.w.t, name)
}
