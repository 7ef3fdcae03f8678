package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

// TestDialect: the six requests of OTP, six more with the extension, and nothing
// else among all tags.
func TestDialect(t *testing.T) {
	for d, want := range map[wire.Dialect]string{
		wire.Standard:       "dknsxz",
		wire.MultiTransport: "DKNSXZdknsxz",
		200:                 "", // a dialect that there is not knows nothing
	} {
		var known []byte
		for tag := range 256 {
			if d.Knows(wire.Tag(tag)) {
				known = append(known, byte(tag))
			}
		}
		require.Equal(t, want, string(known), "%d", d)
	}
}

func TestDialectString(t *testing.T) {
	require.Equal(t, "standard", wire.Standard.String())
	require.Equal(t, "multi-transport", wire.MultiTransport.String())
	require.Equal(t, "unknown", wire.Dialect(200).String())
}
