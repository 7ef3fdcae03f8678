package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/internal/otptest"
	"github.com/goepmd/goepmd/internal/testbed"
)

// noIPv6Env has this test program become another one, which its arguments name, for which
// the system has no IPv6.
const noIPv6Env = "GOEPMD_TEST_NO_IPV6"

// becomeWithoutIPv6 returns only if it fails.
func becomeWithoutIPv6(args []string) error {
	const number, family = 0, 16 // where a filter finds a system call's number and first argument
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	unless := func(value uint32, skip uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: skip, K: value}
	}
	answer := func(value uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: value}
	}
	filter := []unix.SockFilter{
		load(number), unless(unix.SYS_SOCKET, 3),
		load(family), unless(unix.AF_INET6, 1),
		answer(unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)),
		answer(unix.SECCOMP_RET_ALLOW),
	}
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&prog)), 0, 0); err != nil {
		return err
	}
	return unix.Exec(args[0], args, os.Environ())
}

// TestNoFamily: where the system has no IPv6 at all, addresses of it are passed over, as by
// OTP's.
func TestNoFamily(t *testing.T) {
	t.Parallel()
	otps := map[string]int{"": serves, "::": serves, "::1": serves, "127.0.0.1,::1": serves, "2001:db8::1": serves, "0.0.0.0,::": 0}
	t.Run("ours", func(t *testing.T) {
		for list := range otps {
			require.Equal(t, serves, listensWithout(t, program, list), "-address %q", list)
		}
	})
	t.Run("OTP's", func(t *testing.T) {
		theirs := otptest.Epmd(t)
		for list, want := range otps {
			require.Equal(t, want, listensWithout(t, theirs, list), "-address %q", list)
		}
	})
}

// serves stands for the exit status of a daemon that serves.
const serves = -2

func listensWithout(t *testing.T, path, list string) int {
	t.Helper()
	p, err := testbed.Start(t.Context(), func(port uint16) *exec.Cmd {
		args := append([]string{path}, onPort(port)...)
		if list != "" {
			args = append(args, "-address", list)
		}
		cmd := testbed.Command(os.Args[0], args...)
		cmd.Env = append(cmd.Env, noIPv6Env+"=1")
		return cmd
	})
	if end := new(testbed.EndError); errors.As(err, &end) {
		return end.Status
	}
	require.NoError(t, err)
	p.Stop()
	require.Empty(t, p.Stderr.String(), list)
	return serves
}

// TestIPv6SwitchedOff: with the family, and no address of it, the loopback of IPv6 is left
// out, named or not.
func TestIPv6SwitchedOff(t *testing.T) {
	t.Parallel()
	needRoot(t, "have a network without IPv6")
	const script = `sysctl -qw net.ipv6.conf.all.disable_ipv6=1 && ip link set lo up || exit 1
		"$0" -port 24369 -address "$1" 2>&1 & daemon=$!
		until "$0" -port 24369 -started; do kill -0 $daemon || exit 2; sleep 0.02; done
		kill $daemon; wait $daemon`
	for _, list := range []string{"::1", "127.0.0.1,::1", "127.0.0.1", "::", "0.0.0.0,::"} {
		got := call(t, "unshare", "-n", "sh", "-c", script, program, list)
		require.Equal(t, 128+int(syscall.SIGTERM), got.Status, "%s: %+v", list, got)
		require.Equal(t, strings.Contains(list, "1"), strings.Contains(got.Stdout, "left out address=::1"), "%s: %+v", list, got)
	}
}

func init() {
	if os.Getenv(noIPv6Env) != "" {
		fmt.Fprintln(os.Stderr, becomeWithoutIPv6(os.Args[1:]))
		os.Exit(1)
	}
}
