package doctor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/doctor"
	"github.com/goepmd/goepmd/epmdtest"
)

// tlsPort is a port that speaks TLS with a certificate, and wants one.
func tlsPort(t *testing.T, from, until time.Duration, names ...string) uint16 {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "doctor's test"}, DNSNames: names,
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	require.NoError(t, err)
	config := &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:   tls.RequireAnyClientCert,
	}
	ln, port := listen(t, "127.0.0.1", 0)
	serve(t, ln, func(c net.Conn) {
		_ = tls.Server(c, config).HandshakeContext(t.Context()) // it fails for want of a certificate
		_ = c.Close()
	})
	return port
}

// TestCertificate: what is wrong with a node's certificate is seen without one of ours.
func TestCertificate(t *testing.T) {
	s := epmdtest.NewServer(t)
	const hour = time.Hour
	s.Node("good", tlsPort(t, -hour, hour, "db1.lab"))
	s.Node("nameless", tlsPort(t, -hour, hour))
	s.Node("old", tlsPort(t, -2*hour, -hour, "db1.lab"))
	s.Node("early", tlsPort(t, hour, 2*hour, "db1.lab"))
	s.Node("foreign", tlsPort(t, -hour, hour, "db2.lab", "db3.lab"))
	d := newDoctor(uint16(s.Port()))
	d.TLS = true
	d.Resolver = hosts{"here": {"127.0.0.1"}, "db1.lab": {"127.0.0.1"}}
	d.Hostname = func() (string, error) { return "db1.lab", nil }
	rep := examine(t, d, "good@db1.lab")
	require.Contains(t, rep.Unseen[0], "wants a certificate")
	examine(t, d, "nameless@db1.lab")
	examine(t, d, "foreign@127.0.0.1") // nodes do not compare addresses
	rep = examine(t, d, "old@db1.lab", doctor.TLSCertificate)
	require.Contains(t, rep.Findings[0].Seen, "expired at")
	rep = examine(t, d, "early@db1.lab", doctor.TLSCertificate)
	require.Contains(t, rep.Findings[0].Seen, "begins at")
	rep = examine(t, d, "foreign@db1.lab", doctor.TLSCertificate)
	require.Contains(t, rep.Findings[0].Seen, "db2.lab, db3.lab, and not of db1.lab")

	d.TLS = false
	examine(t, d, "good@db1.lab", doctor.TLSPort)
	examine(t, d, "") // nobody asked for them
}
