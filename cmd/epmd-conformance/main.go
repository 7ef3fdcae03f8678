// Command epmd-conformance finds out whether a program is an EPMD. It plays
// scenarios to one or several targets and compares byte for byte with what OTP's
// epmd does:
//
//	epmd-conformance -exec ./my-epmd
//	epmd-conformance -target 192.0.2.1:4369
//	epmd-conformance -image 'OTP 27=erlang:27' -exec goepmd=./epmd -html report.html
//
// The exit status is 0 if nothing failed, 1 if something did, and 2 if it could not
// run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/goepmd/goepmd/internal/cmdline"
)

// The exit statuses.
const (
	allGood    = 0
	somethings = 1
	cannotRun  = 2
)

// errFailed says that a target has failed, which was reported already.
var errFailed = errors.New("something failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// run runs the program and gives its exit status.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	app := program(out, errs)
	err := cmdline.Run(ctx, app, args)
	switch {
	case err == nil:
		return allGood
	case errors.Is(err, errFailed):
		return somethings
	}
	fmt.Fprintln(app.ErrWriter, "epmd-conformance:", err)
	return cannotRun
}
