// Command epmdctl asks an EPMD, OTP's or this one, and finds out why Erlang nodes do not
// find each other:
//
//	epmdctl nodes
//	epmdctl lookup rabbit@db1.example.com
//	epmdctl doctor rabbit@db1.example.com
//
// The exit status is 0 if all is well, 1 if the answer is no or the doctor found something,
// and 2 if it could not be asked. That of ping is for monitoring: 0, 1 (warning), 2
// (critical) or 3 (unknown). docs/epmdctl.md has examples.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/goepmd/goepmd/internal/cmdline"
)

// The exit statuses, of all but ping.
const (
	good       = 0
	answeredNo = 1
	cannotAsk  = 2
)

func main() { os.Exit(mainStatus()) }

// mainStatus is main for tests, which end by themselves.
func mainStatus() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args, streams{in: os.Stdin, out: os.Stdout, errs: os.Stderr, terminal: isTerminal(os.Stdout)})
}

// streams is what the program reads and writes.
type streams struct {
	in        io.Reader
	out, errs io.Writer
	terminal  bool // out is one, for people
}

// status is an error with the exit status that it means. Its text is nil if all was said
// already.
type status struct {
	code int
	err  error
}

func (s status) Error() string {
	if s.err == nil {
		return fmt.Sprintf("exit status %d", s.code)
	}
	return s.err.Error()
}

func (s status) Unwrap() error { return s.err }

// run runs the program and gives its exit status.
func run(ctx context.Context, args []string, s streams) int {
	err := cmdline.Run(ctx, program(s), args)
	if err == nil {
		return good
	}
	var st status
	if !errors.As(err, &st) {
		st = status{cannotAsk, err}
		if unknown(args) {
			st.code = pingUnknown
		}
	}
	if st.err != nil {
		fmt.Fprintln(s.errs, "epmdctl:", oneLine(st.err))
	}
	return st.code
}
