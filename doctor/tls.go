package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/goepmd/goepmd/conformance/nodes/cnode"
)

const tlsAdvice = "Start all nodes of the cluster, and remote shells and tools, with -proto_dist inet_tls and its options, or none."

// overTLS speaks TLS on a connection.
func (w *walk) overTLS(ctx context.Context, raw *said) (net.Conn, error) {
	t := tls.Client(raw, &tls.Config{
		// Nothing secret is said, so nobody is verified; old nodes know no better than 1.2.
		InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, ServerName: w.host,
		VerifyPeerCertificate: func(chain [][]byte, _ [][]*x509.Certificate) (err error) {
			raw.leaf, err = x509.ParseCertificate(chain[0])
			return err
		},
	})
	if err := t.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // the first error counts
		return nil, err
	}
	return t, nil
}

// greetTLS is greet for a side that speaks TLS. A node that wants a certificate of its
// peers cannot be looked into further, and is well.
func (w *walk) greetTLS(k call, c net.Conn, full *string, good *bool) (Status, string) {
	raw, g, err := w.hello(k, true, c)
	*full = g.Name
	if raw.leaf != nil && !w.certificate(k, raw.leaf) {
		return Broken, "its certificate is not good"
	}
	switch {
	case err == nil:
		st, seen := w.called(k, g)
		*good = st == OK
		return st, seen + ", by TLS"
	case errors.Is(err, cnode.ErrRefused), errors.Is(err, cnode.ErrAlive), raw.isTLS() && isTimeout(err):
		return w.noHandshake(k, &said{Conn: raw.Conn}, err)
	case raw.isTLS():
		w.unseen(fmt.Sprintf("%s wants a certificate, and was not asked how it is called, nor for its cookie.", k.name))
		return OK, "it speaks TLS, and wants a certificate, most likely, to say more"
	}
	if _, _, plain := w.hello(k, false, nil); plain == nil || errors.Is(plain, cnode.ErrRefused) {
		w.find(PlainPort, k.at.String(), fmt.Sprintf("%s answers at %s without TLS, and this side speaks TLS.", k.name, k.at), tlsAdvice)
		return Broken, "it does not speak TLS"
	}
	return w.noHandshake(k, raw, err)
}

// notOurTLS is for a node that speaks TLS to a side that does not. Where nobody asks for
// the node it is well.
func (w *walk) notOurTLS(k call) (Status, string) {
	if w.rep.Target == "" {
		w.unseen(fmt.Sprintf("%s speaks TLS, and was not asked how it is called: that takes this side to speak it, too.", k.name))
		return OK, "it speaks TLS"
	}
	w.find(TLSPort, k.at.String(), fmt.Sprintf("%s answers at %s by TLS, and this side does not speak it.", k.name, k.at), tlsAdvice)
	return Broken, "it speaks TLS"
}

// speaksTLS says whether a port that closes on plain words answers TLS.
func (w *walk) speaksTLS(at netip.AddrPort) bool {
	ctx, cancel := w.within()
	defer cancel()
	raw, c, err := w.open(ctx, at, true, nil)
	if err == nil {
		_ = c.Close() // that there was one is all
	}
	return raw != nil && raw.isTLS()
}

// certificate says whether a node's certificate is one that its peers may take. Who
// signed it is not known here.
func (w *walk) certificate(k call, leaf *x509.Certificate) bool {
	const advice = "Give the node a certificate that is right, and start it anew; peers with verify_peer, the default since OTP 26, take no other."
	const form = "2006-01-02 15:04 MST"
	now := time.Now()
	_, err := netip.ParseAddr(w.host)
	judged := w.host != "" && err != nil && len(leaf.DNSNames) > 0 // nodes compare names only
	switch {
	case now.After(leaf.NotAfter):
		w.find(TLSCertificate, k.at.String(), fmt.Sprintf("The certificate of %s expired at %s.", k.name, leaf.NotAfter.UTC().Format(form)), advice)
	case now.Before(leaf.NotBefore):
		w.find(TLSCertificate, k.at.String(), fmt.Sprintf("The certificate of %s begins at %s; here it is %s.", k.name, leaf.NotBefore.UTC().Format(form), now.UTC().Format(form)),
			"Set the clocks of both machines, or wait.")
	case judged && leaf.VerifyHostname(w.host) != nil:
		w.find(TLSCertificate, k.at.String(), fmt.Sprintf("The certificate of %s is that of %s, and not of %s.", k.name, list(leaf.DNSNames), w.host), advice)
	default:
		return true
	}
	return false
}
