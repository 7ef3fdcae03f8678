package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

// TestDialect: the six requests of OTP, and nothing else among all tags.
func TestDialect(t *testing.T) {
	var known []byte
	for tag := range 256 {
		if wire.Standard.Knows(wire.Tag(tag)) {
			known = append(known, byte(tag))
		}
	}
	require.Equal(t, "dknsxz", string(known))
	require.False(t, wire.Dialect(200).Knows(wire.TagNamesReq), "a dialect that there is not knows nothing")
}
