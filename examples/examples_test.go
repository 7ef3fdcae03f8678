// Package examples tests the examples: they are run as their readers run them.
package examples

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/internal/testbed"
	"github.com/goepmd/goepmd/wire"
)

// patience is how long an example may take.
const patience = 2 * time.Minute

func freePort(t *testing.T) int {
	t.Helper()
	port, err := testbed.FreePort()
	require.NoError(t, err)
	return int(port)
}

// TestEmbed registers with the example's server and reads what it prints.
func TestEmbed(t *testing.T) {
	program := filepath.Join(t.TempDir(), "embed")
	out, err := exec.Command("go", "build", "-o", program, "./embed").CombinedOutput()
	require.NoError(t, err, "%s", out)
	port := freePort(t)
	cmd := exec.Command(program, "-port", fmt.Sprint(port))
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended, if all went well
	lines := bufio.NewScanner(stdout)
	next := func(want string) {
		for lines.Scan() {
			if !strings.HasPrefix(lines.Text(), "listening on ") {
				require.Regexp(t, want, lines.Text())
				return
			}
		}
		require.Fail(t, "the example has ended", lines.Err())
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := epmd.Client{Addr: fmt.Sprintf("127.0.0.1:%d", port)}
	node := wire.Node{Name: "alpha", Port: 4711, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}
	var r *epmd.Registration
	require.Eventually(t, func() bool { r, err = c.Register(ctx, node); return err == nil }, patience, 10*time.Millisecond)
	next(`^\d\d:\d\d:\d\d \+ alpha at port 4711, creation \d+$`)
	_, err = c.Register(ctx, node)
	require.ErrorIs(t, err, epmd.ErrRefused)
	next(`! alpha was refused: the name is already registered$`)
	require.NoError(t, r.Close())
	next(`- alpha \(closed\)$`)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.NoError(t, cmd.Wait())
}

// TestErlangCluster runs the script and reads two pongs.
func TestErlangCluster(t *testing.T) {
	otptest.Erl(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "./erlang-cluster/run.sh")
	cmd.Env = append(os.Environ(), fmt.Sprintf("PORT=%d", freePort(t)))
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, 2, bytes.Count(out, []byte("\npong\n")), "%s", out)
}
