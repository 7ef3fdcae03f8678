//go:build unix && !linux

package differ

import "os/exec"

// dieWithParent does nothing here: there is no such thing.
func dieWithParent(*exec.Cmd) {}
