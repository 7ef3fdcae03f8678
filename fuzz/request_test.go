package fuzz

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/wire"
)

func FuzzRequest(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		require.NoError(t, CheckRequest(b))
	})
}

// TestEveryRequest: each that a daemon may know has a parser here.
func TestEveryRequest(t *testing.T) {
	var tags []wire.Tag
	for _, p := range requestParsers {
		tags = append(tags, p.tag)
	}
	for tag := range wire.Tag(255) {
		require.Equal(t, wire.MultiTransport.Knows(tag), slices.Contains(tags, tag), tag)
	}
}
