//go:build !linux

package main

import "syscall"

// sibling is nothing here: there is no systemd.
func sibling() *syscall.SysProcAttr { return nil }
