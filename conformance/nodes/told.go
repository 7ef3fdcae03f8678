package nodes

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/goepmd/goepmd/wire"
)

// clients is the name of the image with what other makers wrote.
const clients = "clients"

//go:embed told/Told.java
var toldJava []byte

//go:embed told/told.c
var toldC []byte

// toldFolder is where the containers have the programs of told nodes.
const toldFolder = "/goepmd-told"

func toldSources() map[string][]byte {
	return map[string][]byte{toldFolder[1:] + "/Told.java": toldJava, toldFolder[1:] + "/told.c": toldC}
}

// told is a node of another library, a small program that does what it is told, by a line
// each.
type told struct {
	*process
	name string // before the @
}

func (n *told) full() string { return n.name + "@" + host }

// told starts such a node, and waits until it says its name.
func (t *trial) told(name string, args ...string) *told {
	b, err := t.stage.hall.box(t.ctx, clients)
	t.must(err)
	done, err := t.stage.turn(t.ctx)
	t.must(err)
	defer done()
	n := &told{b.start(inHome(name, t.daemon().port, args...)), name}
	ctx, cancel := context.WithTimeoutCause(t.ctx, starting, fmt.Errorf("it is not up after %v", starting))
	defer cancel()
	full, err := n.loop.Ready(ctx)
	if err != nil {
		t.fail("%s does not start: %v\nit printed:\n%s", name, err, tail(n.printed()))
	}
	t.equal(n.full(), full, "how %s calls itself", name)
	t.step("start "+full, "")
	return n
}

// do tells the node something, and gives its answer.
func (n *told) do(t *trial, format string, args ...any) string {
	line := fmt.Sprintf(format, args...)
	ctx, cancel := context.WithTimeoutCause(t.ctx, patience, fmt.Errorf("not within %v", patience))
	defer cancel()
	answer, err := n.loop.Eval(ctx, line)
	if err != nil {
		t.fail("%s: %s: %v\nit printed:\n%s", n.full(), line, err, tail(n.printed()))
	}
	t.step(n.full()+"> "+line, answer)
	return answer
}

// expect tells the node something that must have an answer.
func (n *told) expect(t *trial, want, format string, args ...any) {
	t.equal(want, n.do(t, format, args...), format+" of %s", append(args, n.full())...)
}

// registered makes sure that a lookup tells what the node is. Its lowest version is that of
// its library.
func (n *told) registered(t *trial, kind uint8, lowest uint16) {
	port, err := strconv.ParseUint(n.do(t, "port"), 10, 16)
	t.must(err)
	t.equal(wire.Node{
		Name: n.name, Port: uint16(port), Type: kind, Protocol: wire.ProtocolTCP, Highest: 6, Lowest: lowest,
	}, t.lookup(n.name), "lookup of %s", n.name)
}

// end ends the node's input, and waits for the end of the program.
func (n *told) end(t *trial) {
	n.hangUp()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	_, err := n.wait(ctx)
	t.must(err)
	t.step("end "+n.full(), "")
}

// onlyListed makes sure that these names and no others are registered.
func (t *trial) onlyListed(names ...string) {
	want := make(map[string]uint16)
	for _, name := range names {
		want[name] = t.lookup(name).Port
	}
	t.until(patience, "listed are "+portList(want), func() string {
		if got := portList(t.ports()); got != portList(want) {
			return "listed are " + got
		}
		return ""
	})
}

// runIn runs a program in the container of the clients, in the home of a name. It must
// succeed.
func (t *trial) runIn(name string, args ...string) string {
	b, err := t.stage.hall.box(t.ctx, clients)
	t.must(err)
	printed, status, err := b.run(t.ctx, inHome(name, t.daemon().port, args...))
	t.must(err)
	what := strings.Join(args, " ")
	t.step(what, printed)
	if status != 0 {
		t.fail("%s ended with status %d:\n%s", what, status, tail(printed))
	}
	return printed
}

// peer is the node of OTP with which those of other makers have to do.
func peer() spec { return spec{otp: 25, name: "peer", in: clients} }

// starts is how often a node leaves and comes back at once.
const starts = 300
