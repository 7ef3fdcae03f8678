package nodes

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
)

func overTLS(otp int) spec {
	return spec{otp: otp, name: fmt.Sprintf("t%d", otp), args: []string{"-proto_dist", "inet_tls", "-ssl_dist_optfile", "/" + sslFile}}
}

// tlsGroup is nodes that talk by TLS, each side with a certificate of this run.
func tlsGroup() group {
	rest := append(handshakes(), outsiders("tls", overTLS)...)
	g := group{lanes: [][]scenario{append(pings("tls", overTLS, carrier{"tls", "inet"}), rest...)}}
	for _, otp := range versions {
		g.warm = append(g.warm, overTLS(otp))
	}
	return g
}

// handshakes: behind the port that the daemon tells there is TLS.
func handshakes() []scenario {
	return each("tls-handshake",
		"the registered port of a node with -proto_dist inet_tls speaks TLS, and shows the certificate that this run made",
		"that pings of such nodes are encrypted would not be shown",
		func(t *trial, otp int) {
			t.node(overTLS(otp))
			t.shows(t.lookup(overTLS(otp).name).Port)
		})
}

// shows makes sure that a port speaks TLS, and shows the certificate of this run.
func (t *trial) shows(port uint16) {
	config, err := t.stage.hall.clientTLS()
	t.must(err)
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	dialer := tls.Dialer{Config: config}
	c, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	t.must(err)
	defer func() { _ = c.Close() }() // what it showed is over
	state := c.(*tls.Conn).ConnectionState()
	t.step(fmt.Sprintf("TLS to port %d", port), tls.VersionName(state.Version))
	t.equal(true, t.stage.hall.shows(state), "the certificate is that of this run")
}
