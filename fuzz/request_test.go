package fuzz

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzRequest(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		require.NoError(t, CheckRequest(b))
	})
}
