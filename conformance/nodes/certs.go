package nodes

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// Where every container has what TLS takes.
const (
	caFile   = "goepmd/ca.pem"
	certFile = "goepmd/node.pem"
	keyFile  = "goepmd/key.pem"
	sslFile  = "goepmd/ssl_dist.conf"
)

// sslDist is for -ssl_dist_optfile: both sides show a certificate, and both look at it.
const sslDist = `[{server, [{certfile, "/` + certFile + `"}, {keyfile, "/` + keyFile + `"}, {cacertfile, "/` + caFile + `"},
           {verify, verify_peer}, {fail_if_no_peer_cert, true}]},
 {client, [{certfile, "/` + certFile + `"}, {keyfile, "/` + keyFile + `"}, {cacertfile, "/` + caFile + `"},
           {verify, verify_peer}]}].
`

// newCertificates makes an authority, and a certificate of the nodes' host, valid for
// a day. It gives them as files.
func newCertificates() (map[string][]byte, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	day := func(serial int64, name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial),
			Subject:      pkix.Name{CommonName: name},
			NotBefore:    time.Now().Add(-time.Hour),
			NotAfter:     time.Now().Add(24 * time.Hour),
		}
	}
	ca := day(1, "goepmd conformance authority")
	ca.IsCA, ca.BasicConstraintsValid = true, true
	ca.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf := day(2, host)
	leaf.KeyUsage = x509.KeyUsageDigitalSignature
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	leaf.DNSNames = []string{host}
	leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), caKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	block := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	return map[string][]byte{
		caFile:   block("CERTIFICATE", caDER),
		certFile: block("CERTIFICATE", leafDER),
		keyFile:  block("PRIVATE KEY", keyDER),
		sslFile:  []byte(sslDist),
	}, nil
}

// clientTLS is how a program on this machine connects to a node.
func (h *hall) clientTLS() (*tls.Config, error) {
	pair, err := tls.X509KeyPair(h.files[certFile], h.files[keyFile])
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(h.files[caFile])
	return &tls.Config{RootCAs: roots, ServerName: host, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// shows says whether a peer showed the certificate of the nodes.
func (h *hall) shows(state tls.ConnectionState) bool {
	block, _ := pem.Decode(h.files[certFile])
	return len(state.PeerCertificates) > 0 && block != nil && bytes.Equal(state.PeerCertificates[0].Raw, block.Bytes)
}
