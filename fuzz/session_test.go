package fuzz

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzSession(f *testing.F) {
	f.Fuzz(func(t *testing.T, data, cuts []byte, relaxed, multi bool) {
		require.NoError(t, CheckSession(data, cuts, relaxed, multi))
	})
}
