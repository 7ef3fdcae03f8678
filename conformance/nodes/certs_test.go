package nodes

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCertificates: the certificate is good for both sides of a connection, by the
// name and by the addresses of the nodes' host.
func TestCertificates(t *testing.T) {
	files, err := newCertificates()
	require.NoError(t, err)
	config, err := (&hall{files: files}).clientTLS()
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
	require.NoError(t, err)
	for _, name := range []string{host, "127.0.0.1", "::1"} {
		_, err = leaf.Verify(x509.VerifyOptions{
			DNSName: name, Roots: config.RootCAs,
			KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		})
		require.NoError(t, err, name)
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: config.RootCAs, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	require.NoError(t, err)

	h := &hall{files: files}
	require.True(t, h.shows(tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}))
	require.False(t, h.shows(tls.ConnectionState{}))
	others, err := newCertificates()
	require.NoError(t, err)
	require.False(t, (&hall{files: others}).shows(tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}))
}
