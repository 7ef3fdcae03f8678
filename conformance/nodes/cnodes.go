package nodes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"

	"github.com/goepmd/goepmd/conformance/nodes/cnode"
	"github.com/goepmd/goepmd/internal/testbed"
	"github.com/goepmd/goepmd/wire"
)

// hiddenNode is a node written in Go that is registered, like a C node.
type hiddenNode struct {
	cnode.Node
	listener net.Listener
	epmd     *testbed.Conn
}

// close ends it; errors do not matter any more.
func (h *hiddenNode) close() { _, _ = h.listener.Close(), h.epmd.Close() }

// hiddenNode registers one, as C nodes do: with the type 72.
func (t *trial) hiddenNode(name string) *hiddenNode {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	t.must(err)
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	epmd, creation := t.register(wire.Node{Name: name, Port: port, Type: wire.NodeTypeHidden, Highest: 6, Lowest: 5})
	return &hiddenNode{cnode.Node{Name: name + "@" + host, Cookie: cookie, Creation: creation}, l, epmd}
}

// dial connects to a real node, by what the daemon tells.
func (h *hiddenNode) dial(t *trial, n *node, v cnode.Version) *cnode.Conn {
	c, err := h.connect(t, n, v)
	t.must(err)
	return c
}

// connect is dial for a handshake that may fail.
func (h *hiddenNode) connect(t *trial, n *node, v cnode.Version) (*cnode.Conn, error) {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(t.lookup(n.spec.name).Port)))
	c, err := h.Dial(ctx, addr, n.name(), v)
	t.step(fmt.Sprintf("connect %s to %s with handshake %d", h.Name, n.name(), v), fmt.Sprint(err))
	return c, err
}

// call calls a function on a real node.
func call(t *trial, c *cnode.Conn, module, function cnode.Atom, args ...cnode.Term) cnode.Term {
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	got, err := c.Call(ctx, module, function, args...)
	t.must(err)
	t.step(fmt.Sprintf("call %s:%s%v on %s", module, function, args, c.Peer), fmt.Sprint(got))
	return got
}

// cnodes: a C node looks up, connects, calls and is seen.
func cnodes() []scenario {
	return each("cnode",
		"a C node, registered as type 72, connects by handshake 6 to the node that it looks up, pings it and calls it, as erl_call does; it is seen as hidden",
		"erl_call, and all that is built on ei, would find nobody",
		func(t *trial, otp int) { callFrom(t, otp, fmt.Sprintf("c%d", otp), cnode.Version6) })
}

// cnodesOld: the same with the handshake of old nodes.
func cnodesOld() []scenario {
	return each("cnode-old",
		"the same with handshake 5, to which a node falls back that does not know the version of the other",
		"nodes that are told no version would find nobody",
		func(t *trial, otp int) { callFrom(t, otp, fmt.Sprintf("o%d", otp), cnode.Version5) })
}

// withoutHandshake5 is the runtimes of OTP 25.0 to 25.2, which had dropped handshake 5;
// OTP 25.3 took it back.
var withoutHandshake5 = regexp.MustCompile(`^"13\.[01](\.|"$)`)

func callFrom(t *trial, otp int, name string, v cnode.Version) {
	n := t.node(short(otp))
	h := t.hiddenNode(name)
	defer h.close()
	t.equal(wire.NodeTypeHidden, t.lookup(name).Type, "its type")
	if erts := n.eval(t, "erlang:system_info(version)"); v == cnode.Version5 && withoutHandshake5.MatchString(erts) {
		if _, err := h.connect(t, n, v); !errors.Is(err, io.EOF) {
			t.fail("handshake 5 with ERTS %s, which does not know it: want %v, got %v", erts, io.EOF, err)
		}
		v = cnode.Version6
		t.note = "OTP 25.0 to 25.2 break off handshake 5, which OTP 25.3 takes again: that it breaks off, and that handshake 6 works then, is what was checked"
	}
	c := h.dial(t, n, v)
	defer func() { _ = c.Close() }() // what it showed is over

	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	t.must(c.Ping(ctx))
	release, err := cnode.Text(call(t, c, "erlang", "system_info", cnode.Atom("otp_release")))
	t.must(err)
	t.equal(otp, release, "its version")
	t.equal(n.creation(t), c.Creation, "its creation, by its handshake")
	t.equal(true, cnode.Equal(cnode.Atom(n.name()), call(t, c, "erlang", "node")), "it is %s", n.name())
	t.equal(true, cnode.Equal(cnode.Proper(cnode.Atom("b"), cnode.Atom("a")),
		call(t, c, "lists", "reverse", cnode.Proper(cnode.Atom("a"), cnode.Atom("b")))), "lists:reverse([a, b]) is [b, a]")
	n.expect(t, "{true,false}", "{lists:member('%s', nodes(hidden)), lists:member('%[1]s', nodes())}", h.Name)
	t.must(c.Close())
	t.until(patience, n.name()+" sees that "+h.Name+" has gone", func() string {
		if n.knows(t, h.Name) {
			return "it does not"
		}
		return ""
	})
}

// cnodesReached: a real node finds a C node.
func cnodesReached() []scenario {
	return each("cnode-reached",
		"a node looks up a C node, registered as type 72, connects to it and pings it",
		"nodes written in other languages could not be reached",
		func(t *trial, otp int) {
			n := t.node(short(otp))
			h := t.hiddenNode(fmt.Sprintf("r%d", otp))
			defer h.close()
			served := make(chan error, 1)
			ctx, cancel := context.WithTimeout(t.ctx, patience)
			defer cancel()
			go func() { served <- h.serveOne(ctx) }()
			t.equal("pong", n.ping(t, h.Name), "ping to %s", h.Name)
			n.expect(t, "{true,false}", "{lists:member('%s', nodes(hidden)), lists:member('%[1]s', nodes())}", h.Name)
			n.expect(t, "true", "erlang:disconnect_node('%s')", h.Name)
			t.must(<-served)
		})
}

// serveOne serves one node until that leaves.
func (h *hiddenNode) serveOne(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = h.listener.Close() })() // Accept tells
	c, err := h.listener.Accept()
	if err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	conn, err := h.Accept(ctx, c)
	if err != nil {
		return err
	}
	return errors.Join(conn.Serve(ctx), conn.Close())
}
