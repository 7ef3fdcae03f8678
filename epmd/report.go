package epmd

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
)

// reporter takes what happens on a server's connections to its figures, log and hooks.
type reporter struct {
	counters
	log *slog.Logger

	// onState and onRequest, if set, are the server's hooks.
	onState   func(told, stage)
	onRequest func(told, session.Result)

	acceptWarnings, limitWarnings, denyWarnings throttle
}

// told is what hooks learn of a connection.
type told struct {
	Owner         registry.Owner
	Remote, Local net.Addr
}

// subject is a connection that is reported about. It is asked only where somebody wants
// to know, since the answer costs a system call.
type subject interface{ about() told }

// stage is where a connection stands.
type stage uint8

// The stages, as the server's hook tells them.
const (
	stageNew stage = iota
	stageRegistered
	stageRefused
	stageClosed
	stageHandedOver
)

// state tells the hook that a connection enters a stage.
func (r *reporter) state(of subject, s stage) {
	if r.onState != nil {
		r.onState(of.about(), s)
	}
}

// request counts, logs and tells what became of a request, before it is answered.
func (r *reporter) request(of subject, res session.Result) {
	denied := r.countResult(res)
	if denied && r.denyWarnings.allow(time.Now()) {
		// Somebody tries, or has been forgotten in a list.
		r.log.Warn("a request is denied", "request", res.Tag.String(), "remote", of.about().Remote, "err", res.Err, "denied", r.denied.Load())
	}
	if r.log.Enabled(context.Background(), slog.LevelDebug) {
		what, c := "request", of.about()
		if res.Tag != 0 {
			what = res.Tag.String()
		}
		r.log.Debug(what, "remote", c.Remote, "owner", c.Owner, "name", string(res.Name), "verdict", res.Verdict.String(), "reply_bytes", len(res.Reply), "err", res.Err)
	}
	if r.onRequest != nil {
		r.onRequest(of.about(), res)
	}
}

// limitHit counts and warns of a limit that a connection was closed for. The caller holds
// no lock, since a logger may be slow, or ask the server for its figures.
func (r *reporter) limitHit(l limit) {
	switch l {
	case limitNone:
		return
	case limitPeer:
		r.limitPeer.Add(1)
	case limitConns:
		r.limitConns.Add(1)
	case limitUnfinished:
		r.limitUnfinished.Add(1)
	case limitRefused:
		r.limitRefused.Add(1)
	case limitPending:
		r.limitPending.Add(1)
	}
	if r.limitWarnings.allow(time.Now()) {
		r.log.Warn("a limit is reached and connections are closed for it", "limit", l.String())
	}
}

// acceptFailed counts and warns that a connection could not be accepted or watched; most
// likely there are no more files.
func (r *reporter) acceptFailed(where any, err error) {
	r.acceptErrors.Add(1)
	if r.acceptWarnings.allow(time.Now()) {
		r.log.Warn("cannot accept; if files are short, raise the limit of open files", "address", where, "err", err)
	}
}
