//go:build unix

package main

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const rootDir = "/"

var ignoredSignals = []os.Signal{syscall.SIGPIPE}

// startDetached starts a command in a session of its own, without a terminal,
// with the write end of a pipe to its starter.
func startDetached(cmd *exec.Cmd, w *os.File) error {
	closeInherited()
	nothing, err := openNothing()
	if err != nil {
		return err
	}
	defer func() { _ = nothing.Close() }() // the child has its own
	cmd.Stdin, cmd.Stdout = nothing, nothing
	cmd.Stderr = w // until letGo: the daemon may end before it can say why by the other one
	const firstExtra = 3
	cmd.ExtraFiles = []*os.File{w}
	cmd.Env = append(os.Environ(), starterEnv+"="+strconv.Itoa(firstExtra))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

// openNothing opens what stands for a terminal that is not there: where there is no
// /dev/null, a directory, which can be neither read nor written.
func openNothing() (*os.File, error) {
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return os.Open(rootDir)
	}
	return f, nil
}

// letGo has a detached daemon's standard error go where its output goes, once its starter
// is not to hear of it any more.
func (s *starter) letGo() {
	if s != nil {
		_ = unix.Dup2(int(os.Stdout.Fd()), int(os.Stderr.Fd())) // cannot fail: both are open
	}
}

// ownPath is the path of this program. Where there is no /proc, the kernel has still told
// by which one it was started.
func ownPath() (string, error) {
	exe, err := os.Executable()
	if err == nil || runtime.GOOS != "linux" {
		return exe, err
	}
	aux, auxErr := unix.Auxv()
	if auxErr != nil {
		return "", err
	}
	const execName = 31 // AT_EXECFN
	for i := range aux {
		if aux[i][0] == execName {
			return filepath.Abs(unix.BytePtrToString(*(**byte)(unsafe.Pointer(&aux[i][1]))))
		}
	}
	return "", err
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
