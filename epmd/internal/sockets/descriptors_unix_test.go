//go:build unix

package sockets

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFileLimit(t *testing.T) {
	require.Positive(t, FileLimit())
}
