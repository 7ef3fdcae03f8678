package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/internal/otptest"
)

// TestErlStartsDaemon lets erl itself start the daemon, `epmd -daemon`: from the
// place where OTP has its own program, which ours takes, and found through PATH.
func TestErlStartsDaemon(t *testing.T) {
	for name, args := range map[string][]string{
		"in its place": nil,
		"through PATH": {"-epmd", "epmd -daemon"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := freePort(t)
			killDaemon(t, port)
			erl, env := shadowOTP(t)
			a := otptest.StartNode(t, otptest.NodeConfig{
				Name: "starter@127.0.0.1", Port: port, Erl: erl, Env: env, Args: args, StartEpmd: true,
			})
			exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", listenerOf(t, port)))
			require.NoError(t, err)
			require.Equal(t, program, exe, "the daemon that erl started is ours")
			b := otptest.StartNode(t, otptest.NodeConfig{
				Name: "follower@127.0.0.1", Port: port, Erl: erl, Env: env, Args: args, StartEpmd: true,
			})
			require.Equal(t, "pong", a.Eval("net_adm:ping('%s')", b.Name))
			require.Equal(t, "pong", b.Eval("net_adm:ping('%s')", a.Name))
			a.Kill()
			b.Kill()
			c := &epmd.Client{Addr: fmt.Sprintf("127.0.0.1:%d", port)}
			require.Eventually(t, func() bool { return c.Kill(context.Background()) == nil }, patience, 1e6)
		})
	}
}

// shadowOTP makes an installation of OTP that is the real one but for epmd,
// which is ours.
func shadowOTP(t *testing.T) (erl string, env []string) {
	t.Helper()
	real := otptest.Root(t)
	root := t.TempDir()
	link := func(dir string) {
		entries, err := os.ReadDir(filepath.Join(real, dir))
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
		for _, e := range entries {
			to := filepath.Join(real, dir, e.Name())
			if e.Name() == "epmd" {
				to = program
			}
			require.NoError(t, os.Symlink(to, filepath.Join(root, dir, e.Name())))
		}
	}
	erts, err := filepath.Glob(filepath.Join(real, "erts-*"))
	require.NoError(t, err)
	require.Len(t, erts, 1)
	bindir := filepath.Join(filepath.Base(erts[0]), "bin")
	link("")
	for _, dir := range []string{"bin", filepath.Dir(bindir)} {
		require.NoError(t, os.Remove(filepath.Join(root, dir)))
		link(dir)
	}
	require.NoError(t, os.Remove(filepath.Join(root, bindir)))
	link(bindir)
	return filepath.Join(root, bindir, "erlexec"), []string{
		"ROOTDIR=" + root, "BINDIR=" + filepath.Join(root, bindir), "EMU=beam", "PROGNAME=erl",
		"PATH=" + filepath.Join(root, bindir) + ":" + os.Getenv("PATH"),
	}
}
