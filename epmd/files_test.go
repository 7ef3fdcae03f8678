//go:build unix

package epmd

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFileLimit(t *testing.T) {
	require.Positive(t, fileLimit())
}
