package cnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Node is this node.
type Node struct {
	// Name is its whole name, "alpha@127.0.0.1".
	Name string
	// Cookie is the secret that all nodes share.
	Cookie string
	// Creation is what the EPMD said when the node registered.
	Creation uint32
	// TLS says that its connections are made of TLS, where the handshake is framed
	// otherwise.
	TLS bool
	// Yields leaves a connection that the peer has with this name as it is: the handshake
	// ends with ErrAlive. Else that has to go.
	Yields bool
}

// framed is a connection as the handshake takes it.
func (n Node) framed(c net.Conn) io.ReadWriter {
	if n.TLS {
		return &wide{ReadWriter: c}
	}
	return c
}

// Conn is a connection to another node. One goroutine uses it at a time.
type Conn struct {
	// Peer is the other node's name.
	Peer string
	// Creation is the peer's, as it said itself.
	Creation uint32

	node Node
	c    net.Conn
	refs uint32
}

// Dial connects to a node at an address, "host:port", and makes the handshake. The
// node must have the name peer. It fails with ErrPeer, ErrRefused or ErrCookie, an
// error of the network, or that of the context.
func (n Node) Dial(ctx context.Context, addr, peer string, v Version) (*Conn, error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return n.Connect(ctx, c, peer, v)
}

// Connect makes the handshake of Dial on a connection to a node. Errors are as those
// of Dial. It closes c if it fails.
func (n Node) Connect(ctx context.Context, c net.Conn, peer string, v Version) (*Conn, error) {
	return n.open(ctx, c, func(rw io.ReadWriter) (hello, error) { return n.connect(rw, peer, v) })
}

// Greeting is what a node tells of itself before the cookie matters.
type Greeting struct {
	// Name is its whole name, as it calls itself.
	Name string
	// Creation is that of its registration; 0 in the handshake of old nodes.
	Creation uint32
	// Flags are what it can do, as the protocol numbers them.
	Flags uint64
}

// Greet makes the first half of the handshake, up to where the cookie would have to be
// known, on a connection to a node, which is fit for nothing else afterwards. The node
// sees a connection that comes to nothing. It fails with ErrPeer or ErrRefused, an error
// of the network, or that of the context, and leaves c open.
func (n Node) Greet(ctx context.Context, c net.Conn, v Version) (Greeting, error) {
	defer bound(ctx, c)()
	_, other, err := n.greet(n.framed(c), v)
	if err != nil {
		return Greeting{}, fmt.Errorf("handshake: %w", because(ctx, err))
	}
	return Greeting{Name: other.name, Creation: other.creation, Flags: other.flags}, nil
}

// Accept makes the handshake with a node that connected to this one. Errors are as
// those of Dial. It closes c if it fails.
func (n Node) Accept(ctx context.Context, c net.Conn) (*Conn, error) {
	return n.open(ctx, c, n.accept)
}

func (n Node) open(ctx context.Context, c net.Conn, shake func(io.ReadWriter) (hello, error)) (*Conn, error) {
	stop := bound(ctx, c)
	other, err := shake(n.framed(c))
	stop()
	if err != nil {
		_ = c.Close() // the first error counts
		return nil, fmt.Errorf("handshake: %w", because(ctx, err))
	}
	return &Conn{Peer: other.name, Creation: other.creation, node: n, c: c}, nil
}

// bound ends what is under way on a connection when the context ends.
func bound(ctx context.Context, c net.Conn) (stop func()) {
	undo := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) }) // a closed one needs no deadline
	return func() { undo() }
}

func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return errors.Join(cause, err)
	}
	return err
}

// Close closes the connection; the peer sees the node go.
func (c *Conn) Close() error { return c.c.Close() }

// Ping asks the peer as net_adm:ping does, and fails if it does not say yes.
func (c *Conn) Ping(ctx context.Context) error {
	ref := c.newRef()
	request := Tuple{Atom("$gen_call"), Tuple{c.self(), ref}, Tuple{Atom("is_auth"), Atom(c.node.Name)}}
	reply, err := c.ask(ctx, "net_kernel", request, func(t Tuple) bool { return Equal(t[0], ref) })
	if err == nil && !Equal(reply, Atom("yes")) {
		return fmt.Errorf("%w: %v, to a ping", ErrRefused, reply)
	}
	return err
}

// Call calls a function on the peer and gives what it returns, an error of the
// function as {badrpc, Reason} like rpc:call. Meanwhile it answers ticks and pings.
func (c *Conn) Call(ctx context.Context, module, function Atom, args ...Term) (Term, error) {
	call := Tuple{Atom("call"), module, function, Proper(args...), Atom("user")}
	return c.ask(ctx, "rex", Tuple{c.self(), call}, func(t Tuple) bool { return Equal(t[0], Atom("rex")) })
}

// ask sends a message to a registered process, and waits for the pair that answers.
func (c *Conn) ask(ctx context.Context, to Atom, message Term, mine func(Tuple) bool) (Term, error) {
	defer bound(ctx, c.c)()
	if err := c.send(Tuple{opRegSend, c.self(), Atom(""), to}, message); err != nil {
		return nil, because(ctx, err)
	}
	for {
		m, err := c.receive()
		if err != nil {
			return nil, because(ctx, err)
		}
		if t, ok := m.(Tuple); ok && len(t) == 2 && mine(t) {
			return t[1], nil
		}
	}
}

// Serve answers ticks and pings until the peer closes the connection, which is no
// error, or the context ends.
func (c *Conn) Serve(ctx context.Context) error {
	defer bound(ctx, c.c)()
	for {
		if _, err := c.receive(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return because(ctx, err)
		}
	}
}

func (c *Conn) self() Pid { return Pid{Node: Atom(c.node.Name), ID: 1, Creation: c.node.Creation} }

func (c *Conn) newRef() Ref {
	c.refs++
	return Ref{Node: Atom(c.node.Name), Creation: c.node.Creation, IDs: []uint32{c.refs, 0, 0}}
}
