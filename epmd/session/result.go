package session

import (
	"errors"
	"strconv"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// Verdict is what becomes of a connection after a chunk.
type Verdict uint8

// The verdicts.
const (
	// More: the request is not complete; go on reading.
	More Verdict = iota
	// Keep: write the reply and keep the connection open. Whatever arrives
	// on it from now on ends it, unless the session TakesMore.
	Keep
	// Close: write the reply, if there is one, and close.
	Close
	// StopDaemon: write the reply, close, and end the daemon.
	StopDaemon
	// Wait: a name is taken that may become free, and nothing is to be written yet. Read
	// no more, and call Retry: when a registration of the name ends, and a last time
	// when it has been waited for long enough. Of those who wait for one name, only the
	// one that came first is to be called. Only a daemon with Awaited has this verdict.
	Wait
)

// String is the verdict in lower case.
func (v Verdict) String() string {
	switch v {
	case More:
		return "more"
	case Keep:
		return "keep"
	case Close:
		return "close"
	case StopDaemon:
		return "stop daemon"
	case Wait:
		return "wait"
	}
	return "verdict " + strconv.Itoa(int(v))
}

// Why a connection is closed unanswered, besides a [*wire.Error].
var (
	// ErrNotLocal: only peers on this machine may make the request, as is OTP's
	// rule for all but PORT_PLEASE2_REQ and NAMES_REQ.
	ErrNotLocal = errors.New("the request is allowed to local peers only")
	// ErrNotListed: the peer is neither local nor in a network that the list of the
	// Policy names.
	ErrNotListed = errors.New("the request is allowed to local peers and the listed networks only")
	// ErrNotAllowed: Policy.Allow said no.
	ErrNotAllowed = errors.New("the request was refused by the program's own rule")
	// ErrKillRefused: Daemon.RefuseKill has a KILL_REQ or KILL3_REQ answered with no.
	ErrKillRefused = errors.New("the program does not let a request end it")
	// ErrNoRoom: a registration was answered, and there is no room to keep its
	// connection open: see Session.TurnAway.
	ErrNoRoom = errors.New("there is no room to keep the connection")
	// ErrNotRelaxed: STOP_REQ needs Daemon.RelaxedCommandCheck.
	ErrNotRelaxed = errors.New("the request needs the relaxed command check")
	// ErrData: something arrived on a connection after its reply, and after that to
	// an ALIVE3_REQ something else than another one.
	ErrData = errors.New("data on a connection that only holds a registration")
	// ErrEnded: the session was fed after its end.
	ErrEnded = errors.New("the session has ended")
)

// Result is what a chunk led to. The order to obey it in: Evict, Reply, Verdict.
type Result struct {
	// Verdict says what becomes of the connection.
	Verdict Verdict
	// Used is how much of the chunk was looked at: all of it, unless it was
	// longer than Want allowed.
	Used int
	// Tag is that of the request that this chunk completed, else 0.
	Tag wire.Tag
	// Name is the node's that the request is about, if it names one. It is for
	// logs, and borrows from the chunk or the session.
	Name []byte
	// Reply is to be written. It borrows from the scratch buffer, unless Shared.
	Reply []byte
	// Shared says that Reply is a kept list: it stays as it is for as long as
	// anybody holds it, and must not be written to.
	Shared bool
	// Evict names the other connections to close, before the reply is
	// written: whom STOP_REQ unregistered.
	Evict []registry.Owner
	// Negative says that the reply is a no that is nobody's fault: there is no such
	// node, or, to a KILL_REQ or KILL3_REQ, nodes are registered.
	Negative bool
	// Err says why the connection is closed without the answer that the client
	// wanted: a [*wire.Error], a [registry.Refusal], or an error of this package.
	// registry.RefusedNotAdmitted comes wrapped together with the error that
	// Daemon.AdmitNode gave. A reply comes only
	// with a refusal, with ErrKillRefused, and with an error about wire.FieldTransports.
	// It is for counters and logs.
	Err error
}
