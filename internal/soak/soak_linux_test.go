package soak_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/soak"
)

// Programs that are built for the tests.
var embedded, epmd string

func TestMain(m *testing.M) {
	os.Exit(rig.Main(m, map[*string][]string{&embedded: {"../faults/embedded"}, &epmd: {"../../cmd/epmd"}}))
}

func TestShortSoak(t *testing.T) {
	for _, engine := range []string{"epoll", "portable"} {
		t.Run(engine, func(t *testing.T) {
			var table strings.Builder
			err := soak.Run(t.Context(), soak.Config{
				Program:  rig.Program{Name: engine, Path: embedded, Args: []string{"-engine", engine}, Tells: true},
				For:      2 * time.Second,
				Seed:     1,
				Nodes:    50,
				Progress: t.Output(),
			}, &table)
			t.Log(table.String())
			require.NoError(t, err)
			require.Contains(t, table.String(), "50  steady nodes still registered at the end")
		})
	}
}

// TestNoticesLoss: a daemon that lets everybody unregister nodes, and end it, does not
// pass.
func TestNoticesLoss(t *testing.T) {
	var table strings.Builder
	err := soak.Run(t.Context(), soak.Config{
		Program:  rig.Program{Name: "relaxed", Path: epmd},
		Args:     []string{"-relaxed_command_check"},
		For:      2 * time.Second,
		Seed:     1,
		Nodes:    50,
		Progress: t.Output(),
	}, &table)
	require.ErrorIs(t, err, soak.ErrFailed)
	require.Contains(t, table.String(), "ended")
}
