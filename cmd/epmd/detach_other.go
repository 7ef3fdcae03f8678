//go:build !unix

package main

import (
	"os"
	"os/exec"
)

const rootDir = ""

var ignoredSignals = []os.Signal{}

// startDetached starts a command that outlives this process. No descriptor can
// be passed here, so the starter does not wait for it to listen.
func startDetached(cmd *exec.Cmd, w *os.File) error {
	cmd.Env = append(os.Environ(), starterEnv+"=none")
	if err := cmd.Start(); err != nil {
		return err
	}
	_, err := w.WriteString(readyReport)
	return err
}

// fromStarter says whether this process was started detached.
func fromStarter() *starter {
	if _, ok := os.LookupEnv(starterEnv); !ok {
		return nil
	}
	_ = os.Unsetenv(starterEnv) // cannot fail for a name like this
	return &starter{}
}

func (*starter) letGo()        {}
func ownPath() (string, error) { return os.Executable() }

func die(signalError) { os.Exit(1) }
