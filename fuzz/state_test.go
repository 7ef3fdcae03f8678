package fuzz

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzState(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		require.NoError(t, CheckState(b))
	})
}
