package session

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// try says how often a registration has been tried.
type try uint8

const (
	firstTry try = iota
	retry
	lastTry
)

// errWait says that a registration waits.
var errWait = errors.New("the name is taken, and may become free")

// register puts a node into the registry, by the rules of an ALIVE3_REQ if transport is
// set. The program is asked about it at the first try alone. Its error is errWait, or why
// it is refused.
func (s *Session) register(name []byte, n wire.Node, transport bool, t try) (uint32, error) {
	if t == firstTry {
		if err := s.admit(n); err != nil {
			return 0, err
		}
	}
	s.daemon.sweep(name)
	awaited, names := s.daemon.Awaited, s.daemon.Registry
	switch {
	case awaited != nil && t == firstTry && awaited(name):
		return 0, errWait
	case awaited != nil && t != lastTry:
		creation, err := names.Try(s.owner, n, transport)
		if err == registry.RefusedTaken {
			err = errWait
		}
		return creation, err
	case transport:
		return names.RegisterTransport(s.owner, n)
	}
	return names.Register(s.owner, n)
}

// wait keeps the request for Retry.
func (s *Session) wait(body []byte, t try) Result {
	if t == firstTry { // else it is kept already
		packet := binary.BigEndian.AppendUint16(make([]byte, 0, wire.HeaderLen+len(body)), uint16(len(body)))
		s.buf = append(packet, body...)
	}
	s.waits, s.deadline = true, time.Time{}
	return s.waiting()
}

// waiting is the result of a request that waits.
func (s *Session) waiting() Result {
	res := Result{Verdict: Wait, Tag: wire.Tag(s.buf[wire.HeaderLen])}
	if body := s.buf[wire.HeaderLen:]; res.Tag == wire.TagAlive3Req {
		req, _ := wire.ParseAlive3Req(body) // it was good before
		res.Name = req.Name
	} else {
		req, _ := wire.ParseAlive2Req(body)
		res.Name = req.Name
	}
	return res
}

// Retry tries the registration again that has the verdict Wait, as Feed does with scratch.
// The verdict is Wait again if the name is still taken, unless it is the last try: then
// the answer is a no.
func (s *Session) Retry(last bool, scratch []byte) Result {
	if !s.waits {
		return Result{Verdict: Close, Err: ErrEnded}
	}
	t := retry
	if last {
		t = lastTry
	}
	s.waits = false
	body := s.buf[wire.HeaderLen:]
	tag := wire.Tag(body[0])
	var res Result
	if tag == wire.TagAlive3Req {
		res = s.addTransport(body, scratch[:0], nil, t)
	} else {
		res = s.alive2(body, scratch[:0], t)
	}
	res.Tag = tag
	return res
}
