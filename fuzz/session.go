package fuzz

import (
	"errors"
	"fmt"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/fuzz/differ"
	"github.com/goepmd/goepmd/wire"
)

// CheckSession plays the conversation that the bytes are (see [differ.Decode]) to
// bare sessions twice: as it is, and with its segments cut again where cuts says,
// each byte the length of a piece less one. Both must get the same replies, but
// for the one rule that looks at segments. After every chunk the session and the
// registry must be as they may be. With multi the sessions speak the multi-transport
// extension.
func CheckSession(data, cuts []byte, relaxed, multi bool) error {
	d := dialect(multi)
	whole, cut := differ.NewSim(relaxed, d), differ.NewSim(relaxed, d)
	var broken error
	watch := func(f differ.Fed) { broken = errors.Join(broken, checkFed(f, d)) }
	whole.Fed, cut.Fed = watch, watch
	next := 0
	cut.Cut = func(left int) int {
		if len(cuts) == 0 {
			return left
		}
		n := int(cuts[next%len(cuts)]) + 1
		next++
		return n
	}
	pair := differ.Pair{A: whole, B: cut, Settle: -1}
	c := differ.Decode(data)
	found, err := pair.Play(c)
	if err := errors.Join(broken, err); err != nil {
		return fmt.Errorf("%w\n%s", err, c)
	}
	if found != nil && !whole.Excess && !cut.Excess {
		return fmt.Errorf("cut again, it is different: %s", found)
	}
	return nil
}

// dialect is what a daemon speaks, with the multi-transport extension or without.
func dialect(multi bool) wire.Dialect {
	if multi {
		return wire.MultiTransport
	}
	return wire.Standard
}

// checkFed says what must not have come of a chunk.
func checkFed(f differ.Fed, d wire.Dialect) error {
	r, s := f.Result, f.Session
	further := r.Verdict == session.More && s.TakesMore() // a part of a further ALIVE3_REQ
	switch {
	case f.Want < 1 || f.Want > wire.MaxPacketLen+1:
		return fmt.Errorf("the session wants %d bytes", f.Want)
	case r.Used != len(f.Chunk):
		return fmt.Errorf("%d of %d bytes were used", r.Used, len(f.Chunk))
	case !r.Shared && len(r.Reply) > session.MaxReplyLen:
		return fmt.Errorf("a reply of %d bytes", len(r.Reply))
	case s.Kept() != (r.Verdict == session.Keep || further):
		return fmt.Errorf("verdict %v, but kept is %v", r.Verdict, s.Kept())
	case s.Ended() != (r.Verdict == session.Close || r.Verdict == session.StopDaemon):
		return fmt.Errorf("verdict %v, but ended is %v", r.Verdict, s.Ended())
	case s.Deadline().IsZero() == (r.Verdict == session.More && !further):
		return fmt.Errorf("verdict %v, and the deadline is %v", r.Verdict, s.Deadline())
	case r.Verdict == session.More && (len(r.Reply) > 0 || r.Err != nil):
		return fmt.Errorf("an answer to a part of a request: %q, %w", r.Reply, r.Err)
	case r.Tag != 0 && !d.Knows(r.Tag) && (len(r.Reply) > 0 || r.Verdict != session.Close):
		return fmt.Errorf("%v is not of the dialect, but answered %q, %v", r.Tag, r.Reply, r.Verdict)
	case s.Holds() && !s.Kept():
		return errors.New("a registration without a kept connection")
	}
	return checkChange(f)
}
