package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// worded is an error in a user's words.
type worded struct {
	text string
	err  error
}

func (w worded) Error() string { return w.text }
func (w worded) Unwrap() error { return w.err }

// answered says what a client's error means and what to do, with its exit status: whether
// EPMD said no, or could not be asked.
func answered(c *epmd.Client, err error) error {
	if err == nil {
		return nil
	}
	code := cannotAsk
	var refusal registry.Refusal
	for _, no := range []error{epmd.ErrNotFound, epmd.ErrRefused, epmd.ErrNotAllowed, epmd.ErrNoAnswer, epmd.ErrLost} {
		if errors.Is(err, no) || errors.As(err, &refusal) {
			code = answeredNo
		}
	}
	return status{code, inWords(c, err)}
}

// inWords says what a client's error means, and what to do.
func inWords(c *epmd.Client, err error) error {
	text := said(c, err)
	if text == "" {
		return err
	}
	return worded{text, err}
}

// said is empty for an error that is in a user's words already. Where several addresses were
// tried, the reason that counts comes first.
func said(c *epmd.Client, err error) string {
	const doctor = " (epmdctl doctor finds out more)"
	at := where(c)
	var faulty *wire.Error
	var host *net.DNSError
	var number syscall.Errno
	switch {
	case errors.Is(err, epmd.ErrLost):
		return "the registration was lost: EPMD ended it, or the network did" + doctor
	case errors.Is(err, epmd.ErrNoAnswer), errors.Is(err, epmd.ErrNotFound), errors.Is(err, epmd.ErrRefused):
		return ""
	case errors.Is(err, epmd.ErrBadAnswer):
		return at + ": what answers there is no EPMD; give the right -host and -port" + doctor
	case errors.As(err, &faulty):
		return fmt.Sprintf("the name %s: EPMD takes names of 1 to %d characters", faulty.Fault.Error(), wire.MaxLookupChars)
	case errors.Is(err, context.Canceled):
		return at + ": interrupted before it answered"
	case errors.As(err, &host) && host.IsNotFound:
		return fmt.Sprintf("there is no host %q, as far as this machine knows; see how it is spelt, and /etc/hosts and DNS%s", host.Name, doctor)
	case errors.As(err, &host):
		return fmt.Sprintf("the name server does not tell the address of %q; try again, or give the address in its place%s", host.Name, doctor)
	case isTimeout(err):
		return fmt.Sprintf("%s: no answer within %s; EPMD hangs, or a firewall is in the way%s%s", at, span(c.Timeout), tried(err), doctor)
	case isRefused(err):
		return at + ": connection refused, so no EPMD listens there; start one, or give the right -host and -port" + tried(err) + doctor
	case isUnreachable(err):
		return at + ": it cannot be reached from this machine; see the network of both, or give another -host" + tried(err) + doctor
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), isReset(err):
		return at + ": the connection ended in the middle of the answer; try again" + doctor
	case errors.As(err, &number):
		return at + ": " + number.Error() + tried(err) + doctor
	}
	return ""
}

// tried is which addresses were tried, and for how long.
func tried(err error) string {
	var t interface{ Tried() string }
	if !errors.As(err, &t) {
		return ""
	}
	return "; tried " + t.Tried()
}

func isTimeout(err error) bool {
	var timed net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timed) && timed.Timeout()
}

// oneLine is an error without line breaks and the library's name.
func oneLine(err error) string {
	return strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", "; "), "epmd: ")
}
