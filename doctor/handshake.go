package doctor

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/goepmd/goepmd/conformance/nodes/cnode"
)

// self is the node that this side claims to be: of a name that nobody has.
func (w *walk) self(overTLS bool) cnode.Node {
	host := w.hostname
	if host == "" {
		host = "localhost"
	}
	return cnode.Node{Name: "doctor-" + strings.ToLower(rand.Text()[:12]) + "@" + host, Cookie: w.d.Cookie, Creation: 1, TLS: overTLS}
}

// said keeps the first bytes that come on a connection.
type said struct {
	net.Conn
	first []byte
}

func (s *said) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	const most = 32
	s.first = append(s.first, b[:min(n, most-len(s.first))]...)
	return n, err
}

// more waits a moment for what else there is to show.
func (s *said) more() {
	const moment = 200 * time.Millisecond
	_ = s.SetReadDeadline(time.Now().Add(moment)) // without it, the end of the question ends the wait
	_, _ = s.Read(make([]byte, 32))               // what comes is kept; if nothing does, the first bytes must do
}

// isTLS says that the bytes begin a record of TLS, an alert or a handshake.
func (s *said) isTLS() bool {
	const alert, handshake, major = 0x15, 0x16, 0x03
	return len(s.first) >= 2 && (s.first[0] == alert || s.first[0] == handshake) && s.first[1] == major
}

// open connects to the node's port, by TLS if this side uses it.
func (w *walk) open(ctx context.Context, at netip.AddrPort, overTLS bool) (*said, net.Conn, error) {
	c, err := w.d.dial(ctx, at)
	if err != nil {
		return nil, nil, err
	}
	raw := &said{Conn: c}
	if !overTLS {
		return raw, raw, nil
	}
	// Nothing secret is said, so nothing is verified; old nodes know no better than 1.2.
	t := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, ServerName: w.host})
	if err := t.HandshakeContext(ctx); err != nil {
		_ = c.Close() // the first error counts
		return raw, nil, err
	}
	return raw, t, nil
}

// greet begins the distribution handshake, and says whether a cookie may be shown.
func (w *walk) greet(name string, at netip.AddrPort, v cnode.Version) (good bool) {
	w.step(StepHandshake, fmt.Sprintf("handshake with %s, %s", name, at), func() (Status, string) {
		if w.d.TLS {
			return w.greetTLS(name, at, v, &good)
		}
		raw, g, err := w.hello(at, v, false)
		if err == nil {
			st, seen := w.called(name, g)
			good = st == OK
			return st, seen
		}
		if raw.isTLS() || len(raw.first) == 0 && errorIsEnd(err) && w.speaksTLS(at) {
			w.find(TLSPort, at.String(), fmt.Sprintf("%s answers at %s by TLS, and this side does not speak it.", name, at),
				"Start all nodes of the cluster, and remote shells and tools, with -proto_dist inet_tls and its options, or none.")
			return Broken, "it speaks TLS"
		}
		return w.noHandshake(name, at, raw, err)
	})
	return good
}

// greetTLS is greet for a side that speaks TLS. A node that wants a certificate of its
// peers cannot be looked into further, and is well.
func (w *walk) greetTLS(name string, at netip.AddrPort, v cnode.Version, good *bool) (Status, string) {
	raw, g, err := w.hello(at, v, true)
	switch {
	case err == nil:
		st, seen := w.called(name, g)
		*good = st == OK
		return st, seen + ", by TLS"
	case errors.Is(err, cnode.ErrRefused), raw.isTLS() && errors.Is(err, context.DeadlineExceeded):
		return w.noHandshake(name, at, &said{Conn: raw.Conn}, err)
	case raw.isTLS():
		return OK, fmt.Sprintf("it speaks TLS, and wants a certificate, most likely, to say more (%v)", err)
	}
	if _, _, plain := w.hello(at, v, false); plain == nil || errors.Is(plain, cnode.ErrRefused) {
		w.find(PlainPort, at.String(), fmt.Sprintf("%s answers at %s without TLS, and this side speaks TLS.", name, at),
			"Start all nodes of the cluster, and remote shells and tools, with -proto_dist inet_tls and its options, or none.")
		return Broken, "it does not speak TLS"
	}
	return w.noHandshake(name, at, raw, err)
}

// hello makes the first half of the handshake on a connection of its own.
func (w *walk) hello(at netip.AddrPort, v cnode.Version, overTLS bool) (*said, cnode.Greeting, error) {
	ctx, cancel := w.d.within(w.ctx)
	defer cancel()
	raw, c, err := w.open(ctx, at, overTLS)
	if raw == nil {
		raw = new(said)
	}
	if err != nil {
		return raw, cnode.Greeting{}, err
	}
	defer func() { _ = c.Close() }() // it is fit for nothing else
	g, err := w.self(overTLS).Greet(ctx, c, v)
	if errors.Is(err, cnode.ErrPeer) {
		raw.more()
	}
	return raw, g, err
}

// speaksTLS says whether a port that closes on plain words answers TLS.
func (w *walk) speaksTLS(at netip.AddrPort) bool {
	ctx, cancel := w.d.within(w.ctx)
	defer cancel()
	raw, c, err := w.open(ctx, at, true)
	if err == nil {
		_ = c.Close() // that there was one is all
	}
	return raw != nil && raw.isTLS()
}

// called looks at the name by which a node calls itself.
func (w *walk) called(name string, g cnode.Greeting) (Status, string) {
	seen := "it is " + g.Name
	short, _, _ := strings.Cut(g.Name, "@")
	want := name + "@" + w.host
	if g.Name == want || w.rep.Target == "" && short == name {
		return OK, seen
	}
	if w.rep.Target == "" {
		want = name
	}
	do := fmt.Sprintf("Ask for it as %s, or start it with the name %s.", g.Name, want)
	if long := strings.Contains(g.Name, "."); short == name && long != strings.Contains(w.host, ".") {
		do += " Short names (-sname) and long ones (-name) do not mix: all nodes of a cluster use the one or the other."
	}
	w.find(NodeNameMismatch, want, fmt.Sprintf("The node that is registered as %s calls itself %s, and not %s: nodes refuse that.", name, g.Name, want), do)
	return Broken, seen
}

// noHandshake says why there was none.
func (w *walk) noHandshake(name string, at netip.AddrPort, raw *said, err error) (Status, string) {
	switch {
	case raw.Conn == nil:
		w.find(PortRefused, at.String(), fmt.Sprintf("%s took a connection at %s, and another one a moment later came to nothing: %v.", name, at, err),
			"The node ends, or takes no more connections. Ask again.")
	case errors.Is(err, cnode.ErrRefused):
		w.find(NotAllowed, at.String(), fmt.Sprintf("%s refuses this node's name: %v.", name, err),
			"It may allow only certain nodes (net_kernel:allow/1), of which yours must be one. Or it is just connecting or ending: then ask again.")
	case len(raw.first) == 0 && errors.Is(err, context.DeadlineExceeded):
		w.silent(name, at)
	default:
		said := "closes the connection without a word"
		if len(raw.first) > 0 {
			said = fmt.Sprintf("says %q", raw.first)
		}
		w.find(NotADistributionPort, at.String(), fmt.Sprintf("What answers at %s is no Erlang node: it %s.", at, said),
			fmt.Sprintf("The node is gone, and its port belongs to another program now (ss -ltnp), or a proxy stands before it, or something registered %s that is no node. End what holds the name, and start the node.", name))
	}
	return Broken, err.Error()
}

func (w *walk) silent(name string, at netip.AddrPort) {
	w.find(HandshakeSilent, at.String(), fmt.Sprintf("At %s connections are taken, and a greeting is not answered.", at),
		fmt.Sprintf("If it is the node, it hangs or is stopped: see to its process (state T in ps?), and to its load. If it is another program, the name %s is held by something else.", name))
}

// errorIsEnd says that the peer ended the connection.
func errorIsEnd(err error) bool { return !errors.Is(err, context.DeadlineExceeded) }

// cookie makes the whole handshake.
func (w *walk) cookie(at netip.AddrPort, v cnode.Version) {
	w.step(StepCookie, "cookie", func() (Status, string) {
		ctx, cancel := w.d.within(w.ctx)
		defer cancel()
		_, c, err := w.open(ctx, at, w.d.TLS)
		if err != nil {
			return Broken, err.Error() // it was there just now; nothing is known of the cookie
		}
		conn, err := w.self(w.d.TLS).Connect(ctx, c, w.name+"@"+w.host, v)
		if errors.Is(err, context.DeadlineExceeded) {
			w.silent(w.name, at)
			return Broken, err.Error()
		}
		if err != nil {
			w.find(CookieMismatch, w.name+"@"+w.host, "The node does not take this cookie.",
				"Give all nodes the same: in ~/.erlang.cookie of the user that runs each (mode 400), or by -setcookie; see that no file ends with another line.")
			return Broken, err.Error()
		}
		_ = conn.Close() // that it was taken is all
		return OK, "it is the same"
	})
}
