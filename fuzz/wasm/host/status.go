package host

import (
	"strconv"

	"github.com/goepmd/goepmd/fuzz/machine"
)

// Status is a negative number that a function of the module refused with. It is
// an error that wraps the one of package machine which it stands for.
type Status int32

// The statuses.
const (
	StatusDaemon  Status = -1 // no such daemon
	StatusConn    Status = -2 // no such connection: machine.ErrConn
	StatusPointer Status = -3 // not memory that the host was given
	StatusRange   Status = -4 // an argument is out of range: machine.ErrTime
	StatusStopped Status = -5 // the daemon has ended: machine.ErrStopped
	StatusFull    Status = -6 // too many daemons or connections: machine.ErrFull
)

// Error says what was wrong.
func (s Status) Error() string {
	switch s {
	case StatusDaemon:
		return "no such daemon"
	case StatusPointer:
		return "not memory that the host was given"
	}
	if err := s.Unwrap(); err != nil {
		return err.Error()
	}
	return "unknown status " + strconv.Itoa(int(s))
}

// Unwrap is the error of package machine, or nil. Of all arguments only times can
// be out of range, as the others have types that hold nothing else.
func (s Status) Unwrap() error {
	switch s {
	case StatusConn:
		return machine.ErrConn
	case StatusRange:
		return machine.ErrTime
	case StatusStopped:
		return machine.ErrStopped
	case StatusFull:
		return machine.ErrFull
	}
	return nil
}
