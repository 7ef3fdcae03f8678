package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// reach is what the system says of a connection that was tried.
type reach uint8

const (
	connected reach = iota
	refused         // nobody listens; a firewall may say so, too
	absent          // there is no such machine, or no way to it
	forbidden       // a firewall of this machine says no
	unheard         // nothing came back
)

// The system's numbers of errors, those of Unix and those of Windows' sockets, which no
// Unix uses.
var (
	refusals  = []syscall.Errno{syscall.ECONNREFUSED, 10061}
	absences  = []syscall.Errno{syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT, 10047, 10049, 10050, 10051, 10064, 10065}
	refusers  = []syscall.Errno{syscall.EACCES, syscall.EPERM, 10013}
	closings  = []syscall.Errno{syscall.ECONNRESET, syscall.EPIPE, 10053, 10054}
	timeoutIs = []syscall.Errno{syscall.ETIMEDOUT, 10060}
)

func isAny(err error, numbers []syscall.Errno) bool {
	var n syscall.Errno
	if !errors.As(err, &n) {
		return false
	}
	for _, m := range numbers {
		if n == m {
			return true
		}
	}
	return false
}

// reachOf reads the error of a connection that was tried.
func reachOf(err error) reach {
	switch {
	case err == nil:
		return connected
	case isAny(err, refusals):
		return refused
	case isAny(err, absences):
		return absent
	case isAny(err, refusers):
		return forbidden
	}
	return unheard
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &n) && n.Timeout() || isAny(err, timeoutIs)
}

// words says an error in a user's words. took is how long it was waited.
func words(err error, took time.Duration) string {
	switch {
	case isAny(err, refusals):
		return "connection refused"
	case isAny(err, absences):
		return "no route to the host"
	case isAny(err, refusers):
		return "not permitted"
	case isTimeout(err):
		return fmt.Sprintf("nothing came back within %.1f s", took.Seconds())
	case isAny(err, closings), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	}
	return oneLine(err.Error())
}
