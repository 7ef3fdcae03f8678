// Command epmd-conformance finds out whether a program is an EPMD. It plays
// scenarios to one or several targets and compares byte for byte with what OTP's
// epmd does:
//
//	epmd-conformance -exec ./my-epmd
//	epmd-conformance -target 192.0.2.1:4369
//	epmd-conformance -image 'OTP 27=erlang:27' -exec goepmd=./epmd -html report.html
//
// The exit status is 0 if nothing failed, 1 if something did, and 2 if it could not
// run, or not ask everything.
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

// Why the status is not 0, though a report was written.
var (
	errFailed     = errors.New("something failed")
	errUnfinished = errors.New("not all was asked")
)

// errInterrupted says why scenarios were not asked.
var errInterrupted = errors.New("it was interrupted")

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	go func() {
		<-interrupted
		signal.Reset(os.Interrupt) // a second one ends it at once
		cancel(errInterrupted)
	}()
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
	case errors.Is(err, errUnfinished):
		return cannotRun
	}
	fmt.Fprintln(app.ErrWriter, "epmd-conformance:", err)
	return cannotRun
}
