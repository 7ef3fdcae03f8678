//go:build unix

package testbed

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRunHeldOpen: a program that has ended is not waited for until what it has started
// closes its output.
func TestRunHeldOpen(t *testing.T) {
	t.Parallel()
	_, err := Run(t.Context(), Command("sh", "-c", "sleep 20 &"))
	require.ErrorContains(t, err, "holds its output open")
}
