package report

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/goepmd/goepmd/epmd/internal/places"
	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// Report takes what happens on a server's connections to its figures, log and hooks.
type Report struct {
	Counters
	Log *slog.Logger

	// OnState and OnRequest, if set, are the server's hooks.
	OnState   func(Conn, State)
	OnRequest func(Conn, session.Result)
	// InHook, if set, is told by the goroutine that serves a connection when it enters
	// a hook and when it has left it.
	InHook func(bool)

	acceptWarnings, limitWarnings, denyWarnings, admitWarnings throttle
}

// told is what hooks learn of a connection.
type Conn struct {
	Owner         registry.Owner
	Remote, Local net.Addr
}

// Subject is a connection that is reported about. It is asked only if a log or hook is
// to be told, since the answer costs a system call.
type Subject interface{ About() Conn }

// stage is where a connection stands.
type State uint8

// The stages, as the server's hook tells them.
const (
	StateNew State = iota
	StateRegistered
	StateRefused
	StateClosed
	StateHandedOver
)

// State tells the hook that a connection enters a stage.
func (r *Report) State(of Subject, s State) {
	if r.OnState != nil {
		r.OnState(of.About(), s)
	}
}

// Request counts, logs and tells what became of a request, before it is answered.
func (r *Report) Request(of Subject, res session.Result) {
	r.countResult(res)
	if res.Err != nil {
		r.warnRefused(of, res)
	}
	if r.Log.Enabled(context.Background(), slog.LevelDebug) {
		what, c := "request", of.About()
		if res.Tag != 0 {
			what = res.Tag.String()
		}
		r.Log.Debug(what, "remote", c.Remote, "owner", c.Owner, "name", string(res.Name), "verdict", res.Verdict.String(), "reply_bytes", len(res.Reply), "err", res.Err)
	}
	if r.OnRequest != nil {
		r.OnRequest(of.About(), res)
	}
}

// warnRefused warns of a request that the peer may not make: somebody tries, or has been
// forgotten in a list.
func (r *Report) warnRefused(of Subject, res session.Result) {
	switch {
	case errors.Is(res.Err, registry.RefusedNotAdmitted):
		if r.admitWarnings.allow(time.Now()) {
			r.Log.Warn("a registration is not admitted", "name", string(res.Name), "remote", of.About().Remote, "err", res.Err)
		}
	case isDenied(res.Err) && r.denyWarnings.allow(time.Now()):
		r.Log.Warn("a request is denied", "request", res.Tag.String(), "remote", of.About().Remote, "err", res.Err, "denied", r.Denied.Load())
	}
}

// LimitHit counts and warns of a limit that a connection was closed for. The caller holds
// no lock, since a logger may be slow, or ask the server for its figures.
func (r *Report) LimitHit(l places.Limit) {
	switch l {
	case places.LimitNone:
		return
	case places.LimitPeer:
		r.LimitPeer.Add(1)
	case places.LimitConns:
		r.LimitConns.Add(1)
	case places.LimitUnfinished:
		r.LimitUnfinished.Add(1)
	case places.LimitRefused:
		r.LimitRefused.Add(1)
	case places.LimitPending:
		r.LimitPending.Add(1)
	}
	if r.limitWarnings.allow(time.Now()) {
		r.Log.Warn("a limit is reached and connections are closed for it", "limit", l.String())
	}
}

// AcceptFailed counts and warns that a connection could not be accepted or watched; most
// likely there are no more files.
func (r *Report) AcceptFailed(where any, err error) {
	r.AcceptErrors.Add(1)
	if r.acceptWarnings.allow(time.Now()) {
		r.Log.Warn("cannot accept; if files are short, raise the limit of open files", "address", where, "err", err)
	}
}
