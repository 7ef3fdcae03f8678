package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// Failure says of each address that was tried what came of it, and how long it took.
type Failure []attempt

// attempt is a connection that did not come about.
type attempt struct {
	address string
	took    time.Duration
	err     error
}

func (f Failure) Error() string {
	all := make([]string, len(f))
	for i, a := range f {
		all[i] = a.String()
	}
	return strings.Join(all, "; ")
}

// Tried names the addresses and how long each was tried, for programs with words of their own.
func (f Failure) Tried() string {
	all := make([]string, len(f))
	for i, a := range f {
		all[i] = tried(a.address, a.took)
	}
	return strings.Join(all, ", ")
}

func tried(address string, took time.Duration) string {
	return fmt.Sprintf("%s for %v", address, round(took))
}

// Unwrap gives the errors of the network.
func (f Failure) Unwrap() []error {
	all := make([]error, len(f))
	for i, a := range f {
		all[i] = a.err
	}
	return all
}

func (a attempt) String() string {
	if isTimeout(a.err) {
		return fmt.Sprintf("%s: no connection in %v", a.address, round(a.took))
	}
	return fmt.Sprintf("%s: %s, after %v", a.address, words(a.err), round(a.took))
}

// isTimeout says that nothing was heard until the time was over.
func isTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT)
}

// words are an error without what package net says around it: the address is told already.
func words(err error) string {
	var dns *net.DNSError
	var no syscall.Errno
	switch {
	case errors.Is(err, context.Canceled):
		return "given up"
	case errors.As(err, &dns):
		return dns.Err
	case errors.As(err, &no):
		return no.Error()
	}
	return err.Error()
}

// round is a time as people want it told: to the millisecond, and never none.
func round(d time.Duration) time.Duration {
	return max(d.Round(time.Millisecond), time.Millisecond)
}

// ended is what was tried until a context ended.
type ended struct {
	Failure
	cause error
}

func (e ended) Unwrap() []error { return append(e.Failure.Unwrap(), e.cause) }

// Unanswered is the error of a connection on which an answer was waited for since a time,
// when the context has ended.
func Unanswered(ctx context.Context, nc net.Conn, since time.Time) error {
	cause := context.Cause(ctx)
	if !isTimeout(cause) {
		return cause
	}
	return silence{nc.RemoteAddr().String(), time.Since(since), cause}
}

// silence is the end of the time on a connection.
type silence struct {
	address string
	took    time.Duration
	cause   error
}

func (s silence) Error() string {
	return fmt.Sprintf("%s has not answered in %v", s.address, round(s.took))
}

// Tried is as that of a Failure.
func (s silence) Tried() string { return tried(s.address, s.took) }

func (s silence) Unwrap() error { return s.cause }
