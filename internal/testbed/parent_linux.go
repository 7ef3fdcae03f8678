package testbed

import (
	"os/exec"
	"syscall"
)

// dieWithParent lets a program end with this process, however that ends.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
