//go:build !linux

package testbed

import "os/exec"

// dieWithParent does nothing: this system has no such thing.
func dieWithParent(*exec.Cmd) {}
