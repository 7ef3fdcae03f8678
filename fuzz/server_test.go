//go:build unix

package fuzz

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzServer(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte, relaxed, multi bool) {
		require.NoError(t, CheckServer(data, relaxed, multi))
	})
}
