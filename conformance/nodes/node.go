package nodes

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/goepmd/goepmd/internal/otptest/evalloop"
)

// cookie is that of all nodes.
const cookie = "goepmd"

// spec says which node to start.
type spec struct {
	// otp is the version.
	otp int
	// name is the part before the @. Two nodes of a group with the same name are
	// the same.
	name string
	// host makes it a long name; empty is a short one.
	host string
	// anonymous is a node without a name, which may take one later.
	anonymous bool
	// elixir starts it by Elixir, in the image with the applications.
	elixir bool
	// in names the image to run it in; empty is that of the version.
	in string
	// module gives it the EPMD module for several transports.
	module bool
	// args are added to the command line.
	args []string
}

func (s spec) image() string {
	switch {
	case s.elixir:
		return apps
	case s.in != "":
		return s.in
	}
	return strconv.Itoa(s.otp)
}

// full is the name of the node, with its host.
func (s spec) full() string {
	if s.host == "" {
		return s.name + "@" + host
	}
	return s.name + "@" + s.host
}

// common are arguments of every node: it connects to nobody by itself, has time for
// a handshake on a busy machine, and does not spin while it waits.
var common = []string{
	"-setcookie", cookie, "-start_epmd", "false", "-connect_all", "false",
	"-kernel", "net_setuptime", "60", "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none",
}

// command is how to start a node.
func (s spec) command(epmd uint16) command {
	return s.commandEval(epmd, evalloop.Erlang)
}

// commandEval is the same for a node that evaluates something else than the loop.
func (s spec) commandEval(epmd uint16, eval string) command {
	name := []string{"-sname", s.name}
	switch {
	case s.anonymous:
		name = nil
	case s.host != "":
		name = []string{"-name", s.full()}
	}
	args := append(append(name, common...), s.args...)
	if s.module {
		args = append(args, "-pa", moduleFolder, "-epmd_module", "goepmd")
	}
	if s.elixir {
		args = []string{
			"elixir", "--sname", s.name, "--erl", strings.Join(append(common[:len(common):len(common)], s.args...), " "),
			"--no-halt", "-e", evalloop.Elixir,
		}
	} else {
		args = append([]string{"erl", "-noshell"}, append(args, "-eval", eval)...)
	}
	return inHome(s.name, epmd, args...)
}

// inHome is a program with a home of its own, that uses the daemon on a port.
func inHome(name string, epmd uint16, args ...string) command {
	return command{
		args: append([]string{"/bin/sh", "-c", `mkdir -p "$HOME" && cd "$HOME" && exec "$0" "$@"`}, args...),
		env: []string{
			"HOME=" + home(name), fmt.Sprintf("ERL_EPMD_PORT=%d", epmd),
			"ERL_CRASH_DUMP_BYTES=0", "LANG=C.UTF-8",
		},
	}
}

// home is a folder in a container.
func home(name string) string { return "/tmp/home/" + name }

// node is a running node.
type node struct {
	*process
	spec spec
	box  *box
	pid  int // its process number in the container
}

func (n *node) name() string { return n.spec.full() }

// startNode starts a node that uses the daemon on a port, and waits until it is up. If it
// does not come up, it gives the node with the error.
func (b *box) startNode(ctx context.Context, s spec, epmd uint16) (*node, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it is not up after %v", patience))
	defer cancel()
	n := &node{process: b.start(s.command(epmd)), spec: s, box: b}
	name, err := n.loop.Ready(ctx)
	if err != nil {
		return n, err
	}
	if want := s.full(); name != want && !s.anonymous {
		return n, fmt.Errorf("it calls itself %s, and not %s", name, want)
	}
	getpid := "list_to_integer(os:getpid())."
	if s.elixir {
		getpid = "String.to_integer(System.pid())"
	}
	pid, err := n.loop.Eval(ctx, getpid)
	if err == nil {
		n.pid, err = strconv.Atoi(pid)
	}
	return n, err
}

// eval evaluates an expression on the node, and gives its value as the node writes it.
func (n *node) eval(t *trial, format string, args ...any) string {
	expr := fmt.Sprintf(format, args...)
	n.take(t)
	ctx, cancel := context.WithTimeoutCause(t.ctx, patience, fmt.Errorf("not within %v", patience))
	defer cancel()
	line := expr
	if !n.spec.elixir {
		line += "."
	}
	answer, err := n.loop.Eval(ctx, line)
	if err != nil {
		t.fail("%s: %s: %v", n.name(), expr, err)
	}
	t.step(n.name()+"> "+expr, answer)
	return answer
}

// take notes that the node takes part in a trial.
func (n *node) take(t *trial) {
	for _, other := range t.seen {
		if other == n {
			return
		}
	}
	t.seen = append(t.seen, n)
}

// expect evaluates an expression that must have a value.
func (n *node) expect(t *trial, want, format string, args ...any) {
	expr := fmt.Sprintf(format, args...)
	t.equal(want, n.eval(t, "%s", expr), "%s on %s", expr, n.name())
}

// ping pings another node by its whole name: "pong" or "pang".
func (n *node) ping(t *trial, other string) string {
	return n.eval(t, "net_adm:ping('%s')", other)
}

// kill ends the node as a crash does, and waits for its end.
func (n *node) kill(t *trial) {
	t.must(n.box.shell(t.ctx, fmt.Sprintf("kill -KILL %d", n.pid)))
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	_, err := n.wait(ctx)
	t.must(err)
	t.step("kill "+n.name(), "")
}

// part breaks the connection between two nodes, if there is one.
func (n *node) part(t *trial, other *node) {
	n.eval(t, "erlang:disconnect_node('%s')", other.name())
	t.until(patience, n.name()+" and "+other.name()+" have parted", func() string {
		if n.knows(t, other.name()) || other.knows(t, n.name()) {
			return "they are connected"
		}
		return ""
	})
}

// knows says whether the node is connected to another, hidden or not.
func (n *node) knows(t *trial, other string) bool {
	return n.eval(t, "lists:member('%s', nodes(connected))", other) == "true"
}
