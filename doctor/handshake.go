package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/goepmd/goepmd/conformance/nodes/cnode"
	"github.com/goepmd/goepmd/wire"
)

// call is whom this side calls: a node by the name that EPMD has of it.
type call struct {
	name    string
	at      netip.AddrPort
	version cnode.Version
	kind    string
	library bool // it is no Erlang node, but a program with a library for being one
}

func callOf(name string, at netip.AddrPort, n wire.Node) call {
	v := min(cnode.Version(n.Highest), cnode.Version6)
	return call{name: name, at: at, version: v, kind: wire.NodeTypeName(n.Type), library: n.Type != wire.NodeTypeNormal}
}

// self is the node that this side claims to be: of a name that nobody has, unless it was
// told one. Connections that the node of that name has are left alone.
func (w *walk) self(overTLS bool) cnode.Node {
	name, host := w.d.As, w.hostname
	if host == "" {
		host = "localhost"
	}
	if name == "" {
		name = "doctor-" + strings.ToLower(rand.Text()[:12]) + "@" + host
	}
	return cnode.Node{Name: name, Cookie: w.d.Cookie, Creation: 1, TLS: overTLS, Yields: true}
}

// open connects to the node's port, unless there is a connection, and speaks TLS on it if
// it is told to.
func (w *walk) open(ctx context.Context, at netip.AddrPort, overTLS bool, c net.Conn) (*said, net.Conn, error) {
	if c == nil {
		var err error
		if c, err = w.d.dial(ctx, at); err != nil {
			return nil, nil, err
		}
	}
	raw := &said{Conn: c}
	if !overTLS {
		return raw, raw, nil
	}
	t, err := w.overTLS(ctx, raw)
	return raw, t, err
}

// greet begins the distribution handshake on a connection. It gives the node's own name,
// and says whether a cookie may be shown.
func (w *walk) greet(k call, c net.Conn) (full string, good bool) {
	w.step(StepHandshake, fmt.Sprintf("handshake with %s, %s", k.name, k.at), func() (Status, string) {
		if w.d.TLS {
			return w.greetTLS(k, c, &full, &good)
		}
		raw, g, err := w.hello(k, false, c)
		full = g.Name
		switch {
		case err == nil:
			st, seen := w.called(k, g)
			good = st == OK
			return st, seen
		case raw.isTLS(), raw.silent() && !isTimeout(err) && w.speaksTLS(k.at):
			return w.notOurTLS(k)
		}
		return w.noHandshake(k, raw, err)
	})
	return full, good
}

// hello makes the first half of the handshake, on a connection of its own if there is none.
func (w *walk) hello(k call, overTLS bool, c net.Conn) (*said, cnode.Greeting, error) {
	ctx, cancel := w.within()
	defer cancel()
	raw, c, err := w.open(ctx, k.at, overTLS, c)
	if raw == nil {
		raw = new(said)
	}
	if err != nil {
		return raw, cnode.Greeting{}, err
	}
	defer func() { _ = c.Close() }() // it is fit for nothing else
	if !overTLS {
		defer raw.nudge()()
	}
	g, err := w.self(overTLS).Greet(ctx, c, k.version)
	if errors.Is(err, cnode.ErrPeer) {
		raw.more()
	}
	return raw, g, err
}

// called looks at the name by which a node calls itself.
func (w *walk) called(k call, g cnode.Greeting) (Status, string) {
	seen := "it is " + g.Name
	short, host, _ := strings.Cut(g.Name, "@")
	want := k.name + "@" + w.host
	switch {
	case g.Name == want:
		return OK, seen
	case w.rep.Target == "" && short == k.name:
		return w.ownHost(g.Name, k.at)
	case w.rep.Target == "":
		want = k.name
	}
	do := fmt.Sprintf("Ask for it as %s, or start it with the name %s.", g.Name, want)
	switch long := strings.Contains(g.Name, "."); {
	case short == k.name && long != strings.Contains(w.host, "."):
		do += " Short names (-sname) and long ones (-name) do not mix: all nodes of a cluster use the one or the other."
	case short == k.name:
		do += fmt.Sprintf(" If %s is another machine than %s, the name leads to the wrong address, %s.", host, w.host, k.at.Addr())
	}
	w.find(NodeNameMismatch, want, fmt.Sprintf("The node that is registered as %s calls itself %s, and not %s: nodes refuse that.", k.name, g.Name, want), do)
	return Broken, seen
}

// noHandshake says why there was none. A node may refuse strangers, of whom this side is
// one unless it was told as whom to ask; and a C node or its like, for which nobody asks,
// answers only when its program looks.
func (w *walk) noHandshake(k call, raw *said, err error) (Status, string) {
	unasked := w.rep.Target == ""
	switch {
	case errors.Is(err, cnode.ErrAlive):
		w.unseen(fmt.Sprintf("%s is connected with %s, which was left alone: its name and cookie were not asked for.", k.name, w.d.As))
		return OK, "it is connected with " + w.d.As
	case raw.Conn == nil:
		w.find(PortRefused, k.at.String(), fmt.Sprintf("%s took a connection at %s, and another one a moment later came to nothing: %s.", k.name, k.at, words(err, 0)),
			"The node ends, or takes no more connections. Ask again.")
	case errors.Is(err, cnode.ErrRefused) && w.d.As == "" && (unasked || strings.Contains(err.Error(), "not_allowed")):
		w.unseen(fmt.Sprintf("%s takes certain nodes only (net_kernel:allow/1). Whether yours is one shows when it is asked as that one; its name and cookie were not asked for.", k.name))
		return OK, "it takes certain nodes only"
	case errors.Is(err, cnode.ErrRefused):
		w.find(NotAllowed, k.at.String(), fmt.Sprintf("%s refuses %s: %v.", k.name, w.asWhom(), err),
			"It may allow only certain nodes (net_kernel:allow/1), of which yours must be one. Or it is just connecting or ending: then ask again.")
	case raw.silent() && isTimeout(err) && unasked && k.library:
		w.unseen(fmt.Sprintf("%s, a %s, answered nothing: such answer when their program looks.", k.name, k.kind))
		return OK, fmt.Sprintf("a %s that does not answer just now", k.kind)
	case raw.silent() && isTimeout(err):
		w.silent(k.name, k.at)
		return Broken, "it does not answer"
	default:
		w.notANode(k.name, k.at, raw.words())
		return Broken, raw.words()
	}
	return Broken, words(err, 0)
}

// asWhom says which node this side claims to be.
func (w *walk) asWhom() string {
	if w.d.As != "" {
		return w.d.As
	}
	return "a node whose name it does not know"
}

func (w *walk) notANode(name string, at netip.AddrPort, why string) {
	w.find(NotADistributionPort, at.String(), fmt.Sprintf("What answers at %s is no Erlang node: %s.%s", at, why, w.whoListens(at)),
		fmt.Sprintf("The node is gone, and its port belongs to another program now (ss -ltnp), or a proxy stands before it, or something registered %s that is no node. End what holds the name, and start the node.", name))
}

const silentAdvice = "If it is the node, it hangs or is stopped: see to its process (state T in ps?), and to its load. If only long packets are lost on the way (a tunnel), short ones are answered. If it is another program, the name is held by something else."

func (w *walk) silent(name string, at netip.AddrPort) {
	w.find(HandshakeSilent, at.String(), fmt.Sprintf("At %s connections are taken for %s, and a greeting is not answered.%s", at, name, w.whoListens(at)), silentAdvice)
}

// cookie makes the whole handshake.
func (w *walk) cookie(full string, k call) {
	w.step(StepCookie, "cookie of "+full, func() (Status, string) {
		ctx, cancel := w.within()
		defer cancel()
		_, c, err := w.open(ctx, k.at, w.d.TLS, nil)
		if err != nil {
			return Broken, words(err, 0) // it was there just now; nothing is known of the cookie
		}
		conn, err := w.self(w.d.TLS).Connect(ctx, c, full, k.version)
		switch {
		case isTimeout(err):
			w.silent(full, k.at)
			return Broken, "it does not answer"
		case errors.Is(err, cnode.ErrAlive):
			return w.noHandshake(k, new(said), err)
		case err != nil:
			w.find(CookieMismatch, full, "The node does not take this cookie.",
				"Give all nodes the same: in ~/.erlang.cookie of the user that runs each (mode 400), or by -setcookie; see that no file ends with another line.")
			return Broken, err.Error()
		}
		_ = conn.Close() // that it was taken is all
		return OK, "it is the same"
	})
}
