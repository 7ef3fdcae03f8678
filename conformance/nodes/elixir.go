package nodes

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// elixirNode is a node that Elixir starts, as `elixir --sname`. Its image has OTP 25.
func elixirNode(name string) spec { return spec{otp: 25, name: name, elixir: true} }

func elixirGroup() group {
	first, second := elixirNode("elixir1"), elixirNode("elixir2")
	needs := []string{apps}
	g := group{
		warm: []spec{first, second},
		first: []scenario{{
			name: "nodes-elixir-names", images: needs,
			rule: "Elixir: :net_adm.names lists the nodes",
			why:  "libcluster and its kin find nodes that way",
			run: func(t *trial) {
				a, _ := t.node(first), t.node(second)
				a.expect(t, elixirList(t), ":net_adm.names() |> elem(1) |> Enum.map(fn {n, p} -> {List.to_string(n), p} end) |> Enum.sort()")
			},
		}, {
			name: "nodes-elixir-ping", images: needs,
			rule: "Elixir: Node.ping finds another node of Elixir, both ways",
			why:  "no cluster of Phoenix would form",
			run: func(t *trial) {
				a, b := t.node(first), t.node(second)
				for range 2 {
					a.eval(t, "Node.disconnect(:%q)", b.name())
					t.until(patience, "both have parted", func() string {
						return a.connected(t) + b.connected(t)
					})
					a.expect(t, ":pong", "Node.ping(:%q)", b.name())
					a, b = b, a
				}
			},
		}},
		lanes: [][]scenario{elixirAndErlang(first), {iex("piped", false), iex("terminal", true)}},
	}
	return g
}

// connected is to whom a node of Elixir is connected.
func (n *node) connected(t *trial) string {
	return strings.Trim(n.eval(t, `Enum.join(Node.list(:connected), " ")`), `"`)
}

// elixirList is what the daemon lists, as Elixir writes it.
func elixirList(t *trial) string {
	var all []string
	for name, port := range t.ports() {
		all = append(all, fmt.Sprintf("{%q, %d}", name, port))
	}
	slices.Sort(all)
	return "[" + strings.Join(all, ", ") + "]"
}

// elixirAndErlang: Elixir and Erlang of each version find each other.
func elixirAndErlang(e spec) []scenario {
	all := each("elixir-erlang",
		"a node of Erlang and one of Elixir (OTP 25) find and ping each other",
		"mixed systems would not form a cluster",
		func(t *trial, otp int) {
			a, b := t.node(e), t.newNode(spec{otp: otp, name: fmt.Sprintf("x%d", otp)})
			t.equal("pong", b.ping(t, a.name()), "ping from Erlang")
			b.expect(t, "true", "erlang:disconnect_node('%s')", a.name())
			t.until(patience, "Elixir sees that Erlang has left", func() string {
				if left := a.connected(t); contains(left, b.name()) {
					return "it is connected to " + left
				}
				return ""
			})
			a.expect(t, ":pong", "Node.ping(:%q)", b.name())
		})
	for i := range all {
		all[i].images = append(all[i].images, apps)
	}
	return all
}

// iex: the interactive shell, with its input from a pipe or from a terminal.
func iex(kind string, terminal bool) scenario {
	return scenario{
		name: "nodes-iex-" + kind, images: []string{apps},
		rule: "iex --sname (" + kind + "): Node.ping and :net_adm.names work from the shell",
		why:  "it is how people look at their cluster",
		run: func(t *trial) {
			other := t.node(elixirNode("elixir1"))
			b, err := t.stage.hall.box(t.ctx, apps)
			t.must(err)
			me := "iex_" + kind
			c := inHome(me, t.daemon().port, "iex", "--sname", me, "--cookie", cookie, "--erl", strings.Join(common[2:], " "), "--dot-iex", "")
			c.terminal = terminal
			c.env = append(c.env, "TERM=dumb")
			p := b.start(c)
			defer p.hangUp()
			see := func(want string) {
				t.until(patience, fmt.Sprintf("iex prints %q", want), func() string {
					if !contains(p.printed(), want) {
						return "it printed last:\n" + tail(p.printed())
					}
					return ""
				})
			}
			say := func(line string) {
				_, err := io.WriteString(p.in, line+"\n")
				t.must(err)
				t.step("tell iex "+line, "")
			}
			see("iex(" + me + "@" + host + ")1>")
			say(fmt.Sprintf(`Node.ping(:%q)`, other.name()))
			see(":pong")
			say(`for {n, p} <- elem(:net_adm.names(), 1), do: IO.puts("#{n} at #{p}")`)
			for _, name := range []string{me, other.spec.name} {
				see(fmt.Sprintf("%s at %d", name, t.lookup(name).Port))
			}
			say("System.halt(0)")
			ctx, cancel := context.WithTimeout(t.ctx, patience)
			defer cancel()
			_, err = p.wait(ctx)
			t.must(err)
			t.gone(me)
		},
	}
}
