package session

import "github.com/goepmd/goepmd/wire"

// MaxReplyLen is the length in bytes of the longest reply that is written to the
// scratch buffer: a PORT3_RESP with the longest name and extra field, and as many
// transports as there may be.
const MaxReplyLen = wire.HeaderLen + 16 + wire.MaxNameBytes + wire.MaxExtraBytes +
	wire.MaxTransports*(3+wire.MaxTransportLen)

// answer does what the request asks for. b is where a short reply goes.
func (s *Session) answer(body, b []byte) Result {
	tag, err := wire.BodyTag(body)
	if err != nil {
		return s.close(err)
	}
	if !s.daemon.Dialect.Knows(tag) {
		res := s.unknown(tag, body, b)
		res.Tag = tag
		return res
	}
	if err := s.daemon.Policy.check(s.peer, tag); err != nil {
		res := s.close(err)
		res.Tag = tag
		return res
	}
	var res Result
	switch tag { // each that a dialect knows
	case wire.TagAlive2Req:
		res = s.alive2(body, b, firstTry)
	case wire.TagPortPlease2Req:
		res = s.portPlease2(body, b)
	case wire.TagNamesReq:
		res = s.list((*Daemon).names)
	case wire.TagDumpReq:
		res = s.list((*Daemon).dump)
	case wire.TagKillReq:
		res = s.kill(b, wire.AppendKillResp)
	case wire.TagStopReq:
		res = s.stop(body, b)
	case wire.TagAlive3Req:
		res = s.addTransport(body, b, nil, firstTry)
	case wire.TagPortPlease3Req:
		res = s.portPlease3(body, b)
	case wire.TagNames3Req:
		res = s.list((*Daemon).names3)
	case wire.TagDump3Req:
		res = s.list((*Daemon).dump3)
	case wire.TagKill3Req:
		res = s.kill(b, wire.AppendKill3Resp)
	case wire.TagStop3Req:
		res = s.stop3(body, b)
	default:
		res = s.close(wire.ErrUnknownTag)
	}
	res.Tag = tag
	return res
}

func (s *Session) alive2(body, b []byte, t try) Result {
	req, err := wire.ParseAlive2Req(body)
	if err != nil {
		return s.close(err)
	}
	resp := wire.Alive2Resp{Extended: req.Highest >= wire.Highest32BitCreation}
	resp.Creation, err = s.register(req.Name, req.Node(), false, t)
	switch err {
	case nil:
		s.holds = true
	case errWait:
		return s.wait(body, t)
	default:
		resp.Result, resp.Creation = 1, wire.RefusedCreation
	}
	s.finish(kept)
	return Result{Verdict: Keep, Name: req.Name, Reply: resp.Append(b), Err: err}
}

func (s *Session) portPlease2(body, b []byte) Result {
	req, err := wire.ParsePortPlease2Req(body)
	if err != nil {
		return s.close(err)
	}
	s.daemon.sweep(req.Name)
	node, found := s.daemon.Registry.Lookup(req.Name)
	if !found && s.daemon.Resolve != nil {
		node, found = s.daemon.resolve(req.Name)
	}
	if found {
		b = node.AppendPort2Resp(b)
	} else {
		b = wire.Port2Resp{Result: 1}.Append(b)
	}
	res := s.reply(b)
	res.Negative = !found
	res.Name = req.Name
	return res
}

func (s *Session) kill(b []byte, answer func([]byte, bool) []byte) Result {
	s.daemon.sweep(nil)
	ok := s.daemon.RelaxedCommandCheck || s.daemon.Registry.Len() == 0
	refused := ok && s.daemon.RefuseKill
	if refused {
		ok = false
	}
	res := s.reply(answer(b, ok))
	res.Negative = !ok
	switch {
	case refused:
		res.Err = ErrKillRefused
	case ok:
		res.Verdict = StopDaemon
	}
	return res
}

func (s *Session) stop(body, b []byte) Result {
	if !s.daemon.RelaxedCommandCheck {
		return s.close(ErrNotRelaxed)
	}
	req, err := wire.ParseStopReq(body)
	if err != nil {
		return s.close(err)
	}
	s.daemon.sweep(req.Name)
	owners := s.daemon.unregister(req.Name)
	res := s.reply(wire.AppendStopResp(b, owners != nil))
	res.Name, res.Evict = req.Name, owners
	res.Negative = owners == nil
	return res
}

// reply ends the session with an answer of its own.
func (s *Session) reply(b []byte) Result {
	s.finish(over)
	return Result{Verdict: Close, Reply: b}
}

// list ends the session with a kept list of the daemon's.
func (s *Session) list(of func(*Daemon) []byte) Result {
	s.daemon.sweep(nil)
	b := of(s.daemon)
	s.finish(over)
	return Result{Verdict: Close, Reply: b, Shared: true}
}
