//go:build !unix

package otpimages

import "os/exec"

// stopAsGroup does nothing: images can only be pulled here, and docker itself is stopped.
func stopAsGroup(*exec.Cmd) {}
