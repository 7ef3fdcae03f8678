//go:build unix

package main

import (
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const rootDir = "/"

var ignoredSignals = []os.Signal{syscall.SIGPIPE}

// startDetached starts a command in a session of its own, without a terminal,
// with the write end of a pipe to its starter.
func startDetached(cmd *exec.Cmd, w *os.File) error {
	closeInherited()
	const firstExtra = 3
	cmd.ExtraFiles = []*os.File{w}
	cmd.Env = append(os.Environ(), starterEnv+"="+strconv.Itoa(firstExtra))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

// closeInherited keeps what this process was given open, but for its standard
// streams, from the daemon, which would hold it for ever: locks, and pipes whose
// end somebody waits for.
func closeInherited() {
	const first = 3
	entries, err := os.ReadDir("/dev/fd")
	if err != nil { // a system that does not tell
		for fd := first; fd < 1024; fd++ {
			syscall.CloseOnExec(fd)
		}
		return
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= first {
			syscall.CloseOnExec(fd)
		}
	}
}

// fromStarter finds who started this process detached, and completes the
// detaching. It is nil if nobody did.
func fromStarter() *starter {
	v := os.Getenv(starterEnv)
	_ = os.Unsetenv(starterEnv) // cannot fail for a name like this
	fd, err := strconv.Atoi(v)
	if err != nil || fd < 3 {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return nil // the variable is not from detach
	}
	syscall.Umask(0)
	syscall.CloseOnExec(fd)
	return &starter{os.NewFile(uintptr(fd), "starter")}
}

// die ends the process by the signal itself, so that its parent sees what it
// would see of a program without a handler, such as OTP's epmd.
func die(sig signalError) {
	if os.Getpid() == 1 {
		// The first program of a container is not ended by a signal of its own. This is
		// what a shell would say of one that was.
		os.Exit(128 + int(sig.Signal.(syscall.Signal)))
	}
	signal.Reset(sig.Signal)
	if err := syscall.Kill(os.Getpid(), sig.Signal.(syscall.Signal)); err == nil {
		select {} // until it arrives
	}
	os.Exit(1)
}
