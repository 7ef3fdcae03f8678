//go:build !linux

package nodes

import "os/exec"

// dieWithParent does nothing: this system cannot do that.
func dieWithParent(*exec.Cmd) {}
