package fuzz

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzReply(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		require.NoError(t, CheckReply(b))
	})
}
