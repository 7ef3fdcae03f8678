package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"github.com/urfave/cli/v3"
	"golang.org/x/sys/unix"
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
	// The kernel ends the other when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, self, args...)
	// A terminal sends the interrupt to both; the other ends in good order.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Env = append(os.Environ(), ownNetworkEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, c.Root().Writer, c.Root().ErrWriter
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		// Whoever is not root is root in a user namespace of their own, where the system
		// allows that.
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	if err := cmd.Wait(); err != nil {
		return true, fmt.Errorf("%w: %w", errStatus, err)
	}
	return true, nil
}

// loopbackUp brings up the loopback interface of a new network, where it is down.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	lo, err := unix.NewIfreq("lo")
	if err == nil {
		lo.SetUint16(unix.IFF_UP)
		err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
	}
	if err := errors.Join(err, unix.Close(fd)); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	return nil
}
