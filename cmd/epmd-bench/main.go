// Command epmd-bench puts two EPMD programs under the same load, in alternating pairs,
// and tells what each cost:
//
//	epmd-bench -a goepmd=./epmd -b otp=/usr/lib/erlang/erts-13.1.5/bin/epmd
//
// As root on Linux, or where users may make one, it runs in a network namespace of
// its own. docs/bench.md explains the figures. The exit status is 0 when all was
// measured, whatever the figures are, and 2 when it could not be.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/goepmd/goepmd/internal/cmdline"
)

// The exit statuses.
const (
	measured  = 0
	cannotRun = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// run runs the program and gives its exit status.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	app := program(args, out, errs)
	if err := cmdline.Run(ctx, app, args); err != nil {
		fmt.Fprintln(app.ErrWriter, "epmd-bench:", err)
		return cannotRun
	}
	return measured
}
