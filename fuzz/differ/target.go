package differ

import (
	"errors"
	"time"
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

// Conn is a connection to a daemon.
type Conn interface {
	// Send sends bytes as one segment, HalfClose ends the sending side, Close
	// closes, and Reset breaks the connection. That the daemon has closed it
	// meanwhile is no error: [Conn.Recv] tells.
	Send(b []byte) error
	HalfClose() error
	Close() error
	Reset() error
	// Recv appends what has arrived to b and says whether the daemon has
	// closed the connection. If nothing has happened it waits for so long that
	// something does; zero does not wait.
	Recv(b []byte, wait time.Duration) (all []byte, end End, err error)
}

// End is whether and how a daemon has closed a connection.
type End uint8

// The ends.
const (
	StillOpen End = iota
	WasClosed     // in good order
	WasReset      // with something left unread; data may be lost
)
