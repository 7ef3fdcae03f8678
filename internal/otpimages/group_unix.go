//go:build unix

package otpimages

import (
	"os/exec"
	"syscall"
)

// stopAsGroup lets a command, and what it has started, tidy up when it is stopped.
func stopAsGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}
