package differ

import (
	"errors"
	"time"

	"github.com/goepmd/goepmd/conformance"
)

// patience bounds everything that should happen at once, on a machine that is
// busy.
const patience = 20 * time.Second

// ErrGone says that the daemon does not answer any more.
var ErrGone = errors.New("the daemon is gone")

// Target is a running daemon. It is used by one goroutine at a time.
type Target interface {
	// Port is the daemon's own port, as its lists tell it.
	Port() uint16
	// Dial connects. Its error is ErrGone if nobody listens.
	Dial() (Conn, error)
	// Ask sends a lookup on a connection of its own; Answer waits until it is
	// answered. Answer's error is ErrGone if it never is, and drain is called now and
	// then meanwhile: the daemon may be writing to somebody who must read.
	Ask() error
	Answer(drain func() error) error
	// Exit waits for the daemon's end and gives its exit status.
	Exit() (int, error)
	// Stop ends the daemon and frees what it holds; doing so again is fine.
	Stop() error
}

// Conn is a connection to a daemon, and End whether and how that has closed it.
type (
	Conn = conformance.Conn
	End  = conformance.State
)

// The ends.
const (
	StillOpen = conformance.StillOpen
	WasClosed = conformance.WasClosed
	WasReset  = conformance.WasReset
)
