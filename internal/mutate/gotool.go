package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// buildTimeout is what the go command may take to compile, besides the tests.
const buildTimeout = 180 * time.Second

// seedEnv fixes what the property tests try, so that each run finds the same.
const seedEnv = "GOEPMD_SEED"

// memoryGuard runs a test program with at most 4 GB of addresses: a mutant may
// loop and allocate without an end. Only where there is a shell.
const memoryGuard = `sh -c 'ulimit -v 4194304; exec "$0" "$@"'`

// goTool is the go command in the module's root.
type goTool struct {
	root    string
	timeout time.Duration // of the tests of a package
	guarded bool
}

func newGoTool(ctx context.Context, timeout time.Duration) (*goTool, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return nil, fmt.Errorf("run this inside the module: go list -m: %w", err)
	}
	_, err = exec.LookPath("sh")
	return &goTool{root: strings.TrimSpace(string(out)), timeout: timeout, guarded: err == nil}, nil
}

// run runs the go command; its error is not that of the program's status, which
// is told by ok.
func (g *goTool) run(ctx context.Context, args ...string) (stdout, stderr []byte, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, g.timeout+buildTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = g.root
	if os.Getenv(seedEnv) == "" {
		cmd.Env = append(cmd.Environ(), seedEnv+"=1")
	}
	cmd.WaitDelay = time.Second
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil, nil, false, ctx.Err()
	}
	if err != nil && cmd.ProcessState == nil {
		return nil, nil, false, err
	}
	return o.Bytes(), e.Bytes(), err == nil, nil
}

// build says what the compiler has against the packages, if anything.
func (g *goTool) build(ctx context.Context, overlay string, packages ...string) error {
	_, stderr, ok, err := g.run(ctx, append([]string{"build", "-overlay", overlay}, packages...)...)
	if err == nil && !ok {
		err = fmt.Errorf("it does not compile: %s", bytes.TrimSpace(stderr))
	}
	return err
}

// test runs the tests of a package until one fails. An empty overlay is the tree
// as it is. The error is not that of a test: there was none to run.
func (g *goTool) test(ctx context.Context, overlay, pkg string) (failure, error) {
	// Without vet: tests alone are to notice.
	args := []string{"test", "-json", "-vet=off", "-count=1", "-failfast", "-timeout", g.timeout.String()}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	if g.guarded {
		args = append(args, "-exec", memoryGuard)
	}
	stdout, stderr, ok, err := g.run(ctx, append(args, pkg)...)
	if err != nil || ok {
		return failure{}, err
	}
	return readFailure(pkg, stdout, stderr)
}
