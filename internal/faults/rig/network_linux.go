package rig

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ownNetworkEnv marks a program that runs in a network of its own.
const ownNetworkEnv = "GOEPMD_FAULTS_NETWORK"

// InOwnNetwork says whether this program runs in a network of its own.
func InOwnNetwork() bool { return os.Getenv(ownNetworkEnv) == "1" }

// RunInOwnNetwork runs this program again, with its arguments, in a network namespace
// made for it, with loopback up, and gives its exit status: where containers run, each
// connection on loopback is tracked, which costs CPU and in the end hangs. An error
// means that this was not possible, and nothing was run.
func RunInOwnNetwork() (status int, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	// See NewNetwork.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), ownNetworkEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	NewNetwork(cmd)
	// A terminal sends the interrupt to both; the other ends in good order.
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	defer signal.Stop(interrupted)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return 1, nil //nolint:nilerr // it ran, and how it ended is not known
	}
	return max(cmd.ProcessState.ExitCode(), 0), nil
}

// NewNetwork lets a program run in a network namespace made for it. The kernel ends it when
// the thread that started it ends.
func NewNetwork(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		// A user who is not root becomes root in a user namespace of their own, where the
		// system allows that.
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
}

// LoopbackUp brings loopback up in a new network.
func LoopbackUp() error {
	return control("lo", unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error {
		r.SetUint16(unix.IFF_UP)
		return nil
	})
}

// LoopbackMTU sets the largest packet of loopback; 65536 is usual. With 1500, that of
// Ethernet, a receiver's buffer holds as little as it does across a network.
func LoopbackMTU(n int) error {
	return control("lo", unix.SIOCSIFMTU, func(r *unix.Ifreq) error {
		r.SetUint32(uint32(n))
		return nil
	})
}

// RemoteNetwork gives loopback the addresses 10.0.0.0/8 too: connections between two of
// them are between strangers, to a daemon, and not local.
func RemoteNetwork() error {
	return control("lo:1", unix.SIOCSIFADDR, func(r *unix.Ifreq) error {
		return r.SetInet4Addr([]byte{10, 0, 0, 1})
	})
}

// LoopbackAddress6 gives loopback an address of IPv6 too, alone. Between two of them
// are strangers, likewise. One that it has is fine. It fails where the kernel has no IPv6.
func LoopbackAddress6(a netip.Addr) error {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", a, err)
	}
	// The kernel's struct in6_ifreq, which x/sys lacks.
	request := struct {
		addr  [16]byte
		bits  uint32
		index int32
	}{a.As16(), 128, int32(lo.Index)}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCSIFADDR, uintptr(unsafe.Pointer(&request)))
	if errno != 0 && errno != unix.EEXIST {
		err = fmt.Errorf("%s: %w", a, errno)
	}
	return errors.Join(err, unix.Close(fd))
}

// control changes an interface.
func control(name string, request uint, set func(*unix.Ifreq) error) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r, err := unix.NewIfreq(name)
	if err == nil {
		if err = set(r); err == nil {
			err = unix.IoctlIfreq(fd, request, r)
		}
	}
	if err := errors.Join(err, unix.Close(fd)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
