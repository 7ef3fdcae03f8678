package epmd

import (
	"log/slog"
	"net"
	"strconv"

	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// Conn is what the hooks of a [Server] are told of a connection.
type Conn struct {
	// Owner is the connection's number, unique for the server: the one that
	// registry events name. Dumps show its low 24 bits.
	Owner registry.Owner
	// Remote and Local are the two ends.
	Remote, Local net.Addr
}

// ConnState is where a connection stands.
type ConnState uint8

// The states. From StateNew a connection goes to one of the next two or straight
// to StateClosed or StateHandedOver. A connection that
// another process has handed over begins in the state that it was in. One that takes further requests (see Server.MultiTransport) goes
// from StateRefused to StateRegistered when one is not refused.
const (
	// StateNew: accepted.
	StateNew = ConnState(report.StateNew)
	// StateRegistered: it holds a registration, for as long as it is open.
	StateRegistered = ConnState(report.StateRegistered)
	// StateRefused: its registration was refused, and it is kept open.
	StateRefused = ConnState(report.StateRefused)
	// StateClosed: it is gone, and nothing of it is registered any more.
	StateClosed = ConnState(report.StateClosed)
	// StateHandedOver: it is open, and another process's now.
	StateHandedOver = ConnState(report.StateHandedOver)
)

// String is the state as one lower-case word.
func (s ConnState) String() string {
	switch s {
	case StateNew:
		return "new"
	case StateRegistered:
		return "registered"
	case StateRefused:
		return "refused"
	case StateClosed:
		return "closed"
	case StateHandedOver:
		return "handed over"
	}
	return "state " + strconv.Itoa(int(s))
}

// Request is what [Server].OnRequest is told: one complete request, or bytes
// that are none, and what became of it.
type Request struct {
	Conn Conn
	// Tag is that of the request; 0 if the bytes were not even a packet, or came
	// after an answer.
	Tag wire.Tag
	// Name is the node's that the request is about, if it names one.
	Name string
	// Verdict is what becomes of the connection.
	Verdict session.Verdict
	// ReplyLen is the length of the answer in bytes, before it is written.
	ReplyLen int
	// Err says why the client did not get what it asked for, as
	// session.Result does; nil if it did, or if a node was not found.
	Err error
}

// reportTo has what engines report go to the server's logger and hooks.
func (s *Server) reportTo(r *report.Report) {
	if r.Log = s.Logger; r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	if hook := s.ConnState; hook != nil {
		r.OnState = func(c report.Conn, s report.State) { hook(Conn(c), ConnState(s)) }
	}
	if hook := s.OnRequest; hook != nil {
		r.OnRequest = func(c report.Conn, res session.Result) {
			hook(Request{
				Conn: Conn(c), Tag: res.Tag, Name: string(res.Name), Verdict: res.Verdict,
				ReplyLen: len(res.Reply), Err: res.Err,
			})
		}
	}
}
