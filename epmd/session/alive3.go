package session

import (
	"time"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// A connection whose first request was an ALIVE3_REQ takes further ones after its
// answer, each of which adds a transport. Of these reads ask for exactly what they
// need, however the client sends them: it may send the next without waiting for the
// answer to the one before. Anything else ends the connection as soon as its length
// or its tag is there. There is no deadline, for half a request neither: who holds
// a registration does not lose it for being slow.

// tagLen is how many bytes of a packet there are up to its tag.
const tagLen = wire.HeaderLen + 1

// ResumeAlive3 is the session of a connection that is kept by an ALIVE3_REQ and on
// which no part of another has arrived: see Resume.
func (d *Daemon) ResumeAlive3(o registry.Owner, p Peer, holds bool) Session {
	return Session{daemon: d, owner: o, peer: p, phase: keptForMore, holds: holds}
}

// TakesMore says that the connection is kept, and takes further ALIVE3_REQs.
func (s *Session) TakesMore() bool { return s.phase == keptForMore }

// wantMore is Want while more is taken.
func (s *Session) wantMore() int {
	if s.need > 0 {
		return s.need - len(s.buf)
	}
	return tagLen - len(s.buf)
}

// readMore adds a chunk to a further ALIVE3_REQ, and answers it once it is
// complete.
func (s *Session) readMore(chunk, scratch []byte) Result {
	if len(chunk) == 0 {
		return Result{Verdict: Keep}
	}
	s.buf = append(s.buf, chunk...)
	if s.need == 0 {
		n, err := wire.PacketLen(s.buf)
		switch {
		case err != nil:
			return s.end(err)
		case len(s.buf) < tagLen:
			return Result{}
		case wire.Tag(s.buf[wire.HeaderLen]) != wire.TagAlive3Req:
			return s.end(ErrData)
		}
		s.need = n
	}
	if len(s.buf) < s.need {
		return Result{}
	}
	packet := s.buf
	denied := s.daemon.Policy.check(s.peer, wire.TagAlive3Req)
	res := s.addTransport(packet[wire.HeaderLen:], scratch[:0], denied, firstTry)
	res.Tag = wire.TagAlive3Req
	return res
}

// end ends a kept session for what has arrived on it.
func (s *Session) end(err error) Result {
	s.End(registry.ReasonData)
	return Result{Verdict: Close, Err: err}
}

// addTransport does what an ALIVE3_REQ asks for, or refuses it if the peer may not: what
// it has registered before, it keeps.
func (s *Session) addTransport(body, b []byte, denied error, t try) Result {
	req, err := wire.ParseAlive3Req(body)
	if err != nil {
		return s.end(err)
	}
	resp := wire.Alive3Resp{Extended: req.Highest >= wire.Highest32BitCreation}
	if err = denied; err == nil {
		resp.Creation, err = s.register(req.Name, req.Node(), true, t)
	}
	switch err {
	case nil:
		s.holds = true
	case errWait:
		return s.wait(body, t)
	default:
		resp.Result, resp.Creation = 1, wire.RefusedCreation
	}
	s.phase, s.need, s.buf, s.deadline = keptForMore, 0, nil, time.Time{}
	return Result{Verdict: Keep, Name: req.Name, Reply: resp.Append(b), Err: err}
}

func (s *Session) portPlease3(body, b []byte) Result {
	req, err := wire.ParsePortPlease3Req(body)
	if e, ok := err.(*wire.Error); ok && e.Field != wire.FieldTransports {
		return s.close(err)
	}
	var room [wire.MaxTransports]wire.Transport
	var node wire.Node
	var of []wire.Transport
	found := false
	if err == nil {
		s.daemon.sweep(req.Name)
		node, of, found = s.daemon.Registry.LookupTransports(req.Name, req.Transports, room[:0])
	}
	if err == nil && !found && s.daemon.Resolve != nil {
		node, of, found = s.daemon.resolveTransports(req.Name, req.Transports, room[:0])
	}
	if found {
		b = node.AppendPort3Resp(b, of)
	} else {
		b = wire.Port3Resp{Result: 1}.Append(b)
	}
	res := s.reply(b)
	res.Name, res.Err, res.Negative = req.Name, err, !found
	return res
}

func (s *Session) stop3(body, b []byte) Result {
	if !s.daemon.RelaxedCommandCheck {
		return s.close(ErrNotRelaxed)
	}
	req, err := wire.ParseStop3Req(body)
	if err != nil {
		return s.close(err)
	}
	var owners []registry.Owner
	if len(body) > 1 { // without a name it names not even the empty one
		s.daemon.sweep(req.Name)
		owners = s.daemon.unregister(req.Name)
	}
	res := s.reply(wire.AppendStop3Resp(b, owners != nil))
	res.Name, res.Evict, res.Negative = req.Name, owners, owners == nil
	return res
}
