package epmd

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/engine"
	"github.com/goepmd/goepmd/epmd/internal/report"
	"github.com/goepmd/goepmd/epmd/internal/sockets"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// Conn is what the hooks of a [Server] are told of a connection.
//
// # What a hook may do
//
// The hooks Allow, AdmitNode, Resolve, HandleUnknown, OnRequest and ConnState are called
// while a connection is served. On the epoll engine they are called from the one goroutine that
// serves all: as long as a hook takes, everybody waits. On the portable engine they are
// called from the connection's own, and several calls may run at once. A hook must
// return soon, since the end of the server waits for it.
//
// A hook may call these, which return at once: View and its methods, Stats, Addrs, File,
// Unregister, RegisterLocal and its release, and Conn.IsLocal. It must not call what waits
// for the server: Serve, ServeContext, ListenAndServe, Close, Shutdown, Handoff, Resume,
// Restore, Check, Remotes. A goroutine that it starts, and does not wait for, may.
//
// OnEvent, which is called inside the registry, may call its second argument alone, and
// Now and Logger nothing of the server.
//
// A panic of a hook is recovered, logged with its stack and counted in Stats.HookPanics.
// Allow and AdmitNode then refuse, Resolve and HandleUnknown say false, Now tells the
// system's time, and the others count as returned. Logger must not panic.
type Conn struct {
	// Owner is the connection's number, unique for the server and below
	// registry.LocalOwners: the one that registry events name. Dumps show its low 24 bits.
	Owner registry.Owner
	// Remote and Local are the two ends.
	Remote, Local net.Addr
}

// IsLocal says whether the peer is on this machine: its address is in 127.0.0.0/8, is
// ::1, or is the one that it connected to, or it came by a Unix socket. A list such as
// AllowRegister makes nobody local.
func (c Conn) IsLocal() bool { return session.IsLocal(ends{c}) }

// ends makes Conn a session.Peer.
type ends struct{ of Conn }

func (e ends) Remote() netip.Addr { return sockets.AddrOf(e.of.Remote) }
func (e ends) Local() netip.Addr  { return sockets.AddrOf(e.of.Local) }

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
	// Outcome is what became of the request, as Stats.Outcomes counts it. It means
	// nothing if Tag is 0.
	Outcome session.Outcome
	// ReplyLen is the length of the answer in bytes, before it is written.
	ReplyLen int
	// Err says why the client did not get what it asked for, as
	// session.Result does; nil if it did, or if a node was not found. It wraps the
	// error of AdmitNode if that refused.
	Err error
}

// reportTo has what engines report go to the server's logger and hooks.
func (s *Server) reportTo(r *report.Report) {
	if r.Log = s.Logger; r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	if hook := s.ConnState; hook != nil {
		r.OnState = func(c report.Conn, s report.State) {
			r.Call("ConnState", func() { hook(Conn(c), ConnState(s)) })
		}
	}
	if hook := s.OnRequest; hook != nil {
		r.OnRequest = func(c report.Conn, res session.Result) {
			r.Call("OnRequest", func() {
				hook(Request{
					Conn: Conn(c), Tag: res.Tag, Name: string(res.Name), Verdict: res.Verdict,
					Outcome: res.Outcome(), ReplyLen: len(res.Reply), Err: res.Err,
				})
			})
		}
	}
}

// errPanicked is why a registration is refused about which AdmitNode panicked.
var errPanicked = errors.New("the hook panicked")

// decideFor has sessions ask the server's hooks.
func (s *Server) decideFor(d *session.Daemon, r *report.Report) {
	if hook := s.Allow; hook != nil {
		d.Policy.Allow = func(p session.Peer, t wire.Tag) (yes bool) {
			return r.Call("Allow", func() { yes = hook(connOf(p), t) }) && yes
		}
	}
	if hook := s.AdmitNode; hook != nil {
		d.AdmitNode = func(p session.Peer, n wire.Node) (err error) {
			if !r.Call("AdmitNode", func() { err = hook(connOf(p), n) }) {
				return errPanicked
			}
			return err
		}
	}
	if hook := s.Resolve; hook != nil {
		d.Resolve = func(name string) (n wire.Node, ok bool) {
			ok = r.Call("Resolve", func() { n, ok = hook(name) }) && ok
			return n, ok
		}
	}
	if hook := s.HandleUnknown; hook != nil {
		d.HandleUnknown = func(p session.Peer, body, reply []byte) (out []byte, ok bool) {
			ok = r.Call("HandleUnknown", func() { out, ok = hook(connOf(p), body, reply) }) && ok
			return out, ok
		}
	}
}

// connOf is what hooks are told of the peer of an engine.
func connOf(p session.Peer) Conn { return Conn(p.(report.Subject).About()) }

// onEvent is the hook, for the registry; after it those hear of an event who wait for its
// name.
func (s *Server) onEvent(r *report.Report, waiting *engine.Waiters) func(registry.Event, registry.Inside) {
	hook := s.OnEvent
	if hook == nil && waiting == nil {
		return nil
	}
	return func(e registry.Event, in registry.Inside) {
		if hook != nil {
			r.Recover("OnEvent", func() { hook(e, in) })
		}
		waiting.Tell(e)
	}
}

// now is the hook, for the registry: the system's time where it panics.
func (s *Server) now(r *report.Report) func() time.Time {
	hook := s.Now
	if hook == nil {
		return nil
	}
	return func() (t time.Time) {
		if !r.Recover("Now", func() { t = hook() }) {
			return time.Now()
		}
		return t
	}
}
