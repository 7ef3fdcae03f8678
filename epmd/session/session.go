package session

import (
	"time"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// keptRead is the most that OTP's epmd asks of a read on a kept connection.
const keptRead = wire.MaxPacketLen + 1

type phase uint8

const (
	reading     phase = iota // the request is not complete
	kept                     // answered, and left open
	keptForMore              // likewise, for further ALIVE3_REQs
	over
)

// Session is the state of one connection. It is not safe for concurrent use;
// [Daemon.Open] makes it.
type Session struct {
	daemon *Daemon
	peer   Peer
	owner  registry.Owner

	phase phase
	holds bool   // a registration
	waits bool   // its request is complete, and waits for a name
	need  int    // length of the packet; 0: not known yet
	buf   []byte // what has arrived of an incomplete packet, or of one that waits

	deadline time.Time
}

// Want is the most bytes that the next read may ask for, at least 1: clients
// can observe that bytes behind a packet are left unread.
func (s *Session) Want() int {
	switch {
	case s.phase == keptForMore:
		return s.wantMore()
	case s.phase != reading:
		return keptRead
	case s.need > 0:
		return s.need - len(s.buf)
	}
	return wire.MaxPacketLen - len(s.buf)
}

// Kept says that the request was an ALIVE2_REQ or ALIVE3_REQ and was answered: the
// connection is left open, without a deadline, until it ends or something arrives
// on it; of an ALIVE3_REQ, until something else than another one does.
func (s *Session) Kept() bool { return s.phase == kept || s.phase == keptForMore }

// Holds says that the session registered a node. Another session's STOP_REQ may
// have unregistered it since.
func (s *Session) Holds() bool { return s.holds }

// Begun says that a request has begun to arrive and is not complete.
func (s *Session) Begun() bool {
	return (s.phase == reading || s.phase == keptForMore) && len(s.buf) > 0 && !s.waits
}

// Partial is what has arrived of a request that is not complete, or that waits: to be fed
// to another session in its place. It borrows from the session.
func (s *Session) Partial() []byte { return s.buf }

// Owner is the owner that was given to [Daemon.Open].
func (s *Session) Owner() registry.Owner { return s.owner }

// Feed takes one chunk, exactly as one read returned it, and the time of that
// read. Short replies are written to scratch[:0]; a capacity of MaxReplyLen
// makes sure that nothing is allocated for them. The session keeps neither slice.
// An empty chunk changes nothing; nor does any chunk after the verdict Wait, which it has
// again.
func (s *Session) Feed(now time.Time, chunk, scratch []byte) Result {
	chunk = chunk[:min(len(chunk), s.Want())]
	var res Result
	switch {
	case s.phase == over:
		return Result{Verdict: Close, Err: ErrEnded}
	case s.waits:
		return s.waiting()
	case s.phase == kept && len(chunk) == 0:
		return Result{Verdict: Keep}
	case s.phase == kept:
		s.End(registry.ReasonData)
		res = Result{Verdict: Close, Err: ErrData}
	case s.phase == keptForMore:
		res = s.readMore(chunk, scratch)
	default:
		res = s.read(now, chunk, scratch)
	}
	res.Used = len(chunk)
	return res
}

// read adds a chunk to the packet, and answers it once it is complete.
func (s *Session) read(now time.Time, chunk, scratch []byte) Result {
	packet := chunk
	if len(s.buf) > 0 {
		s.buf = append(s.buf, chunk...)
		packet = s.buf
	}
	if s.need == 0 {
		n, err := wire.FirstPacketLen(packet)
		if err != nil {
			return s.close(err)
		}
		s.need = n
	}
	if s.need == 0 || len(packet) < s.need {
		if len(s.buf) == 0 {
			s.buf = append(s.buf, chunk...)
		}
		if len(chunk) > 0 && s.Restarts() {
			s.startClock(now)
		}
		return Result{}
	}
	s.buf = nil // packet still has it
	return s.answer(packet[wire.HeaderLen:], scratch[:0])
}

// close ends the session without an answer.
func (s *Session) close(err error) Result {
	s.finish(over)
	return Result{Verdict: Close, Err: err}
}

// finish leaves the phase of reading.
func (s *Session) finish(p phase) {
	s.phase, s.need, s.buf, s.deadline, s.waits = p, 0, nil, time.Time{}, false
}

// End ends the session: the connection is gone, or its reply could not be
// written, or the daemon ends. What it had registered is unregistered for the
// given reason. Ending twice is fine.
func (s *Session) End(why registry.Reason) {
	if s.holds {
		s.holds = false
		s.daemon.Registry.Release(s.owner, why)
	}
	s.finish(over)
}

// TurnAway ends the session of a connection that is to be kept, or waits, and for which
// there is no room. The result of the chunk becomes one that closes the connection
// unanswered; what it had registered ends as one whose reply could not be written.
func (s *Session) TurnAway(res Result) Result {
	s.End(registry.ReasonUnanswered)
	return Result{Verdict: Close, Used: res.Used, Tag: res.Tag, Name: res.Name, Err: ErrNoRoom}
}

// Ended says that the session is over: answered, closed for a fault, or ended.
func (s *Session) Ended() bool { return s.phase == over }
