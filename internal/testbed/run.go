package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// Result is how a program has ended, and what it had written.
type Result struct {
	Status         int // -1 for a signal
	Stdout, Stderr string
}

// Run runs a program to its end. It fails if that does not come before the context's.
func Run(ctx context.Context, cmd *exec.Cmd) (Result, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return Result{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() }) // Wait tells
	err := cmd.Wait()
	if !stop() {
		return Result{}, fmt.Errorf("%q does not end: %w", cmd.Args, context.Cause(ctx))
	}
	if bad := new(exec.ExitError); err != nil && !errors.As(err, &bad) {
		return Result{}, err
	}
	return Result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}, nil
}
