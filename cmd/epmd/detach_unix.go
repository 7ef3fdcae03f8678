//go:build unix

package main

import (
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
)

const rootDir = "/"

var ignoredSignals = []os.Signal{syscall.SIGPIPE}

// startDetached starts a command in a session of its own, without a terminal,
// with the write end of a pipe to its starter.
func startDetached(cmd *exec.Cmd, w *os.File) error {
	const firstExtra = 3
	cmd.ExtraFiles = []*os.File{w}
	cmd.Env = append(os.Environ(), starterEnv+"="+strconv.Itoa(firstExtra))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

// fromStarter finds who started this process detached, and completes the
// detaching.
func fromStarter() *starter {
	v, ok := os.LookupEnv(starterEnv)
	if !ok {
		return nil
	}
	_ = os.Unsetenv(starterEnv) // cannot fail for a name like this
	syscall.Umask(0)
	fd, err := strconv.Atoi(v)
	if err != nil || fd < 3 {
		return &starter{}
	}
	syscall.CloseOnExec(fd)
	return &starter{os.NewFile(uintptr(fd), "starter")}
}

// die ends the process by the signal itself, so that its parent sees what it
// would see of a program without a handler, such as OTP's epmd.
func die(sig signalError) {
	signal.Reset(sig.Signal)
	if err := syscall.Kill(os.Getpid(), sig.Signal.(syscall.Signal)); err == nil {
		select {} // until it arrives
	}
	os.Exit(1)
}
