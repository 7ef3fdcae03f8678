package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// Result is how a program has ended, and what it had written.
type Result struct {
	Status         int // -1 for a signal
	Stdout, Stderr string
}

// outputDelay is how long after the end of a program others may hold its output open.
const outputDelay = 5 * time.Second

// Run runs a program to its end. It fails if that does not come before the context's, or if
// a program that it has started holds its output open.
func Run(ctx context.Context, cmd *exec.Cmd) (Result, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = outputDelay
	if err := cmd.Start(); err != nil {
		return Result{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() }) // Wait tells
	err := cmd.Wait()
	if !stop() {
		return Result{}, fmt.Errorf("%q does not end: %w", cmd.Args, context.Cause(ctx))
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		return Result{}, fmt.Errorf("%q has ended, and a program that it has started holds its output open", cmd.Args)
	}
	if bad := new(exec.ExitError); err != nil && !errors.As(err, &bad) {
		return Result{}, err
	}
	return Result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}, nil
}
