//go:build unix

package epmd_test

import (
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
)

// stoppedGrace is more than a busy machine takes to stop a process that has read a request.
const stoppedGrace = 500 * time.Millisecond

// stoppedEnv has TestServeToBeStopped serve, in a process of its own.
const stoppedEnv = "GOEPMD_TEST_LISTENER"

// TestServeToBeStopped is the process that TestTakenGraceOfStopped stops.
func TestServeToBeStopped(t *testing.T) {
	kind := os.Getenv(stoppedEnv)
	if kind == "" {
		t.Skip("SKIPPED: it is a part of TestTakenGraceOfStopped")
	}
	ln, err := net.FileListener(os.NewFile(3, "listener"))
	require.NoError(t, err)
	s := &epmd.Server{TakenGrace: stoppedGrace}
	switch kind {
	case "wrapped":
		ln = disguised{ln}
	case "portable":
		s.Engine = epmd.EnginePortable
	}
	require.NoError(t, s.Serve(ln)) // until it is killed
}

// TestTakenGraceOfStopped: a daemon that did not run while a holder ended, as on a busy
// machine, sees the end before it finds that the time is over.
func TestTakenGraceOfStopped(t *testing.T) {
	needSelf(t)
	for _, kind := range []string{"epoll", "portable", "wrapped"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			f, err := ln.(*net.TCPListener).File()
			require.NoError(t, err)
			cmd := exec.Command(os.Args[0], "-test.run=^TestServeToBeStopped$")
			cmd.Env = append(os.Environ(), stoppedEnv+"="+kind)
			cmd.ExtraFiles = []*os.File{f}
			require.NoError(t, cmd.Start())
			require.NoError(t, f.Close())
			r := &running{addr: ln.Addr().String()}
			require.NoError(t, ln.Close())
			defer func() {
				require.NoError(t, cmd.Process.Kill())
				_ = cmd.Wait() // it was killed
			}()

			holder := r.ask(t, node("foo", 1))
			require.Zero(t, holder.answer(t).Result)
			for range 6 {
				waits := r.ask(t, node("foo", 1))
				_, err := r.client().Names(ctx(t)) // so that it is read
				require.NoError(t, err)
				require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))
				require.NoError(t, holder.Close())
				time.Sleep(stoppedGrace + 20*time.Millisecond) // what is tested
				require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
				require.Zero(t, waits.answer(t).Result)
				holder = waits
			}
		})
	}
}
