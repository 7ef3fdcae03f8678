package main

import "syscall"

// sibling has a successor be started as a child of this daemon's own parent. To systemd the main
// process is then still one of its children, whose end it notices; of any other it warns.
func sibling() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_PARENT}
}
