package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"github.com/urfave/cli/v3"

	"github.com/goepmd/goepmd/internal/faults/rig"
)

// ownNetworkEnv marks the program that runs in a network of its own.
const ownNetworkEnv = "EPMD_BENCH_OWN_NETWORK"

func inOwnNetwork() bool { return os.Getenv(ownNetworkEnv) == "1" }

// errStatus is the end of the program that runs in a network of its own, which has said
// itself what was wrong.
var errStatus = errors.New("it could not measure")

// runInOwnNetwork runs this program again, in a network namespace made for it: where
// containers run, each connection on loopback is tracked, which costs CPU and in
// the end hangs. It says whether that was possible.
func runInOwnNetwork(ctx context.Context, c *cli.Command, args []string) (done bool, err error) {
	self, err := os.Executable()
	if err != nil {
		return false, err
	}
	// See NewNetwork.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, self, args...)
	// A terminal sends the interrupt to both; the other ends in good order.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Env = append(os.Environ(), ownNetworkEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, c.Root().Writer, c.Root().ErrWriter
	rig.NewNetwork(cmd)
	if err := cmd.Start(); err != nil {
		return false, err
	}
	if err := cmd.Wait(); err != nil {
		return true, fmt.Errorf("%w: %w", errStatus, err)
	}
	return true, nil
}

func loopbackUp() error { return rig.LoopbackUp() }
