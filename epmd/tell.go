package epmd

import (
	"errors"
	"net"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// requestOf is what OnRequest is told.
func requestOf(c Conn, res session.Result) Request {
	return Request{
		Conn: c, Tag: res.Tag, Name: string(res.Name), Verdict: res.Verdict,
		ReplyLen: len(res.Reply), Err: res.Err,
	}
}

// logResult writes what a request led to.
func (s *state) logResult(remote net.Addr, o registry.Owner, res session.Result) {
	what := "request"
	if res.Tag != 0 {
		what = res.Tag.String()
	}
	s.log.Debug(what, "remote", remote, "owner", o, "name", string(res.Name), "verdict", res.Verdict.String(), "reply_bytes", len(res.Reply), "err", res.Err)
}

// countResult counts what a request led to, and says whether the peer was not allowed
// to make it.
func (c *counters) countResult(res session.Result) (denied bool) {
	if res.Tag != 0 {
		c.requests[res.Tag][res.Outcome()].Add(1)
	}
	if res.Err == nil {
		return false
	}
	denied = errors.Is(res.Err, session.ErrNotLocal) || errors.Is(res.Err, session.ErrNotListed) || errors.Is(res.Err, session.ErrNotAllowed)
	var refusal registry.Refusal
	var fault wire.Fault
	switch {
	case errors.As(res.Err, &refusal):
		c.refusals[refusal].Add(1)
	case errors.As(res.Err, &fault):
		c.faults[fault].Add(1)
	case denied, errors.Is(res.Err, session.ErrNotRelaxed):
		c.denied.Add(1)
	}
	return denied
}
