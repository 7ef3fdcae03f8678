package fuzz

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/fuzz/differ"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// CheckSession plays the conversation that the bytes are (see [differ.Decode]) to
// bare sessions twice: as it is, and with its segments cut again where cuts says,
// each byte the length of a piece less one. Both must get the same replies, but
// for the one rule that looks at segments. After every chunk the session and the
// registry must be as they may be.
func CheckSession(data, cuts []byte, relaxed bool) error {
	whole, cut := differ.NewSim(relaxed), differ.NewSim(relaxed)
	var broken error
	watch := func(f differ.Fed) { broken = errors.Join(broken, checkFed(f)) }
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
	d, err := pair.Play(c)
	if err := errors.Join(broken, err); err != nil {
		return fmt.Errorf("%w\n%s", err, c)
	}
	if d != nil && !whole.Excess && !cut.Excess {
		return fmt.Errorf("cut again, it is different: %s", d)
	}
	return nil
}

// checkFed says what must not have come of a chunk.
func checkFed(f differ.Fed) error {
	r, s := f.Result, f.Session
	switch {
	case f.Want < 1 || f.Want > wire.MaxPacketLen+1:
		return fmt.Errorf("the session wants %d bytes", f.Want)
	case r.Used != len(f.Chunk):
		return fmt.Errorf("%d of %d bytes were used", r.Used, len(f.Chunk))
	case !r.Shared && len(r.Reply) > session.MaxReplyLen:
		return fmt.Errorf("a reply of %d bytes", len(r.Reply))
	case s.Kept() != (r.Verdict == session.Keep):
		return fmt.Errorf("verdict %v, but kept is %v", r.Verdict, s.Kept())
	case s.Ended() != (r.Verdict == session.Close || r.Verdict == session.StopDaemon):
		return fmt.Errorf("verdict %v, but ended is %v", r.Verdict, s.Ended())
	case s.Deadline().IsZero() == (r.Verdict == session.More):
		return fmt.Errorf("verdict %v, and the deadline is %v", r.Verdict, s.Deadline())
	case r.Verdict == session.More && (len(r.Reply) > 0 || r.Err != nil):
		return fmt.Errorf("an answer to a part of a request: %q, %w", r.Reply, r.Err)
	case s.Holds() && !s.Kept():
		return errors.New("a registration without a kept connection")
	}
	return checkChange(f)
}

// checkChange: the registry changes by a registration that was answered with 0, by
// a STOP_REQ that names whom it evicts, and by the end of a holder; and by nothing
// else.
func checkChange(f differ.Fed) error {
	before, after := names(f.Before), names(f.After)
	switch {
	case f.Session.Holds() && !f.Held:
		resp, _, err := wire.ParseAlive2Resp(f.Result.Reply)
		if err != nil || resp.Result != 0 {
			return fmt.Errorf("registered, but answered %q", f.Result.Reply)
		}
		if len(after) != len(before)+1 || after[0] != string(f.Result.Name) || !slices.Equal(after[1:], before) {
			return fmt.Errorf("a registration of %q made %q of %q", f.Result.Name, after, before)
		}
	case f.Held && !f.Session.Holds():
		// A STOP_REQ may have ended the registration before.
		if d := len(before) - len(after); d != 0 && d != 1 {
			return fmt.Errorf("the end of one connection made %q of %q", after, before)
		}
	case len(f.Result.Evict) > 0:
		gone := string(f.Result.Name)
		if f.Result.Tag != wire.TagStopReq || !slices.Contains(before, gone) ||
			!slices.Equal(after, slices.DeleteFunc(slices.Clone(before), func(n string) bool { return n == gone })) {
			return fmt.Errorf("a stop of %q made %q of %q", gone, after, before)
		}
	case !slices.Equal(before, after):
		return fmt.Errorf("%v made %q of %q", f.Result.Tag, after, before)
	case !reflect.DeepEqual(f.Before.Old, f.After.Old):
		return fmt.Errorf("%v changed the old names", f.Result.Tag)
	}
	if slices.Sort(after); len(slices.Compact(after)) != len(f.After.Nodes) {
		return fmt.Errorf("a name is registered twice: %q", after)
	}
	return nil
}

func names(s registry.Snapshot) []string {
	out := make([]string, 0, len(s.Nodes))
	for _, e := range s.Nodes {
		out = append(out, e.Node.Name)
	}
	return out
}
