// Command wasirun runs a WebAssembly program for WASI, so that Go's tests can run
// on wasip1 without another program being installed:
//
//	GOOS=wasip1 GOARCH=wasm go test -exec 'bin/wasirun' ./wire
//
// The program sees the working directory, for reading only, an empty /tmp that is
// gone afterwards, and no network.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// Exit statuses besides the program's own.
const (
	failed      = 125 // the program could not be run
	interrupted = 130
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: wasirun MODULE.wasm [ARGUMENT...]")
		os.Exit(failed)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status, err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "wasirun:", err)
	}
	os.Exit(status)
}

// run runs the program that args name, and gives its exit status. When ctx is
// done, it ends this process.
func run(ctx context.Context, args []string) (int, error) {
	code, err := os.ReadFile(args[0])
	if err != nil {
		return failed, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return failed, err
	}
	tmp, err := os.MkdirTemp("", "wasirun")
	if err != nil {
		return failed, err
	}
	defer os.RemoveAll(tmp)
	// Asking a program to stop would make it slower all the time.
	defer context.AfterFunc(ctx, func() {
		_ = os.RemoveAll(tmp) // the process ends either way
		os.Exit(interrupted)
	})()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	config := wazero.NewModuleConfig().
		WithArgs(args...).
		WithStdout(os.Stdout).
		WithStderr(os.Stderr).
		WithRandSource(rand.Reader).
		WithSysWalltime().
		WithSysNanotime().
		WithSysNanosleep().
		WithFSConfig(wazero.NewFSConfig().WithReadOnlyDirMount(dir, "/").WithDirMount(tmp, "/tmp")).
		WithEnv("PWD", "/")
	_, err = r.InstantiateWithConfig(ctx, code, config)
	var exit *sys.ExitError
	switch {
	case errors.As(err, &exit):
		return int(exit.ExitCode()), nil
	case err != nil:
		return failed, err
	}
	return 0, nil
}
