package soak_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/internal/soak"
)

func TestMain(m *testing.M) {
	if !rig.InOwnNetwork() {
		if status, err := rig.RunInOwnNetwork(); err == nil {
			os.Exit(status)
		}
	} else if err := rig.LoopbackUp(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func build(t *testing.T, pkg string) string {
	path := filepath.Join(t.TempDir(), "program")
	out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

func TestShortSoak(t *testing.T) {
	path := build(t, "../faults/embedded")
	for _, engine := range []string{"epoll", "portable"} {
		t.Run(engine, func(t *testing.T) {
			var table strings.Builder
			err := soak.Run(t.Context(), soak.Config{
				Program:  rig.Program{Name: engine, Path: path, Args: []string{"-engine", engine}, Tells: true},
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
		Program:  rig.Program{Name: "relaxed", Path: build(t, "../../cmd/epmd")},
		Args:     []string{"-relaxed_command_check"},
		For:      2 * time.Second,
		Seed:     1,
		Nodes:    50,
		Progress: t.Output(),
	}, &table)
	require.ErrorIs(t, err, soak.ErrFailed)
	require.Contains(t, table.String(), "ended")
}
