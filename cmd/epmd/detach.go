package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// starterEnv tells a detached daemon by which file descriptor to tell its starter
// that it listens. The starter waits for that, so that whoever ran it can use the
// daemon at once.
const starterEnv = "GOEPMD_STARTER_FD"

const readyReport = "ready\n"

// detach starts this program again, detached, and waits until it listens or has
// failed. Like OTP's epmd it returns 0 in either case; what went wrong stands on
// standard error.
func detach(o options, args []string, stderr io.Writer) int {
	if err := enoughFiles(filesOf(o)); err != nil {
		fmt.Fprintln(stderr, "epmd: cannot detach:", err)
		return 1
	}
	exe, err := ownPath()
	if err != nil {
		fmt.Fprintln(stderr, "epmd: cannot find the program to detach:", err)
		return 1
	}
	r, w, err := os.Pipe()
	if err != nil {
		fmt.Fprintln(stderr, "epmd: cannot detach:", err)
		return 1
	}
	cmd := exec.Command(exe, args...)
	cmd.Args[0] = os.Args[0]
	cmd.Dir = rootDir
	err = startDetached(cmd, w)
	_ = w.Close() // the child's copy counts
	if err != nil {
		fmt.Fprintln(stderr, "epmd: cannot detach:", err)
		return 1
	}
	report, err := io.ReadAll(r)
	switch {
	case string(report) == readyReport:
	case err != nil || len(report) == 0:
		fmt.Fprintln(stderr, "epmd: the daemon ended before it listened")
	default:
		fmt.Fprintf(stderr, "epmd: %s", bytes.TrimPrefix(report, []byte("epmd: ")))
	}
	return 0
}

// starter is who started a detached daemon and waits; nil is nobody.
type starter struct{ f *os.File }

func (s *starter) ready() {
	s.report(readyReport)
	s.letGo()
}

func (s *starter) failed(err error) { s.report(err.Error() + "\n") }

func (s *starter) report(text string) {
	if s == nil || s.f == nil {
		return
	}
	_, _ = io.WriteString(s.f, text) // if it is gone, nobody wants to know
	_ = s.f.Close()
	s.f = nil
}
