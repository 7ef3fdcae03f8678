package testbed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/testbed"
)

// TestNoGrace: the flags are for a program that takes them and says its version, not for one
// that ends with a complaint or cannot be started.
func TestNoGrace(t *testing.T) {
	for script, want := range map[string][]string{
		`[ "$1 $2 $3 $5" = "-taken_grace 0 -port -version" ]`: {"-taken_grace", "0"},
		`exit 1`:         nil,
		`kill -9 $$`:     nil,
		`[ "$#" = 4 ]`:   nil,
		`exec /nowhere/`: nil,
	} {
		require.Equal(t, want, testbed.NoGrace(t.Context(), "/bin/sh", "-c", script, "program"), script)
	}
	require.Nil(t, testbed.NoGrace(t.Context(), "/nowhere/epmd"))
}
