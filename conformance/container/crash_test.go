package container

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
)

// crashEnv makes the test program one that starts a daemon in a container of the image
// that it names, says its port, and does nothing more.
const crashEnv = "GOEPMD_CONTAINER_CRASH"

func crash() {
	image, noShell := strings.CutSuffix(os.Getenv(crashEnv), " without a shell")
	opts := []Option{Expire(5 * time.Second)}
	if noShell {
		opts = append(opts, NoShell(), Program("/usr/bin/epmd"))
	} else {
		opts[0] = Expire(time.Hour)
	}
	x, err := New(context.Background(), "crash", image, opts...)
	if err != nil {
		panic(err)
	}
	d, err := x.Start(context.Background(), conformance.Config{})
	if err != nil {
		panic(err)
	}
	fmt.Println(d.Port())
	select {}
}

// TestCrash: when a process dies that has started containers, they end: at once where
// the first program is a shell that reads from that process, else when they
// expire.
func TestCrash(t *testing.T) {
	image := otpImage(t, "25")
	for _, image := range []string{image, image + " without a shell"} {
		t.Run(image, func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), crashEnv+"="+image, "TMPDIR="+t.TempDir())
			cmd.Stderr = t.Output()
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			t.Cleanup(func() {
				_ = cmd.Process.Kill() // it may be dead already
				_ = cmd.Wait()         // killed
			})
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			var port uint16
			_, err = fmt.Sscan(line, &port)
			require.NoError(t, err)
			require.Len(t, ours(t, cmd.Process.Pid), 1)

			require.NoError(t, cmd.Process.Kill())
			require.Eventually(t, func() bool { return len(ours(t, cmd.Process.Pid)) == 0 }, time.Minute, 20*time.Millisecond)
			refused(t, port)
		})
	}
}
