package lab

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// authority makes certificates.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	der  []byte
}

// certificate says how a node's differs from a good one.
type certificate struct {
	host    string        // other than the machine's
	until   time.Duration // from now on; zero is a day
	padding int           // bytes that make it longer
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	ca := &authority{t: t, cert: template(1, "the lab", 24*time.Hour)}
	ca.cert.IsCA, ca.cert.BasicConstraintsValid = true, true
	ca.cert.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	var err error
	ca.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ca.der, err = x509.CreateCertificate(rand.Reader, ca.cert, ca.cert, ca.key.Public(), ca.key)
	require.NoError(t, err)
	return ca
}

func template(serial int64, name string, until time.Duration) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(until),
	}
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// issue writes a certificate of a machine and its key to one file of it.
func (ca *authority) issue(m *machine, c certificate) string {
	ca.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(ca.t, err)
	host := cmp.Or(c.host, m.name+".lab")
	leaf := template(2, host, cmp.Or(c.until, 24*time.Hour))
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	leaf.DNSNames = []string{host} // OTP, too, compares names, and no addresses
	if c.padding > 0 {
		leaf.ExtraExtensions = []pkix.Extension{{Id: []int{1, 3, 6, 1, 4, 1, 99999, 1}, Value: bytes.Repeat([]byte{1}, c.padding)}}
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, ca.cert, key.Public(), ca.key)
	require.NoError(ca.t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(ca.t, err)
	return m.put("node.pem", string(block("CERTIFICATE", der))+string(block("PRIVATE KEY", keyDER)))
}

// node is how a node on a machine speaks TLS, with a certificate that it shows, and looks
// at that of others.
func (ca *authority) node(m *machine, c certificate) []string {
	ca.t.Helper()
	file, cas := ca.issue(m, c), m.put("ca.pem", string(block("CERTIFICATE", ca.der)))
	both := fmt.Sprintf("[{certfile, %q}, {cacertfile, %q}, {verify, verify_peer}", file, cas)
	path := m.put("ssl_dist.conf", strings.Join([]string{
		"[{server, ", both, ", {fail_if_no_peer_cert, true}]}, {client, ", both, "]}].\n",
	}, ""))
	return []string{"-proto_dist", "inet_tls", "-ssl_dist_optfile", path}
}

// domain is two machines that know each other as a.lab and b.lab, too.
func (w *world) domain() (a, b *machine) {
	a, b = w.pair()
	for _, m := range []*machine{a, b} {
		m.hosts(a.addr+" a.lab a", b.addr+" b.lab b")
	}
	return a, b
}
