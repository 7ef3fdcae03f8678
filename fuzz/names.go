package fuzz

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/goepmd/goepmd/epmd/session"
	"github.com/goepmd/goepmd/fuzz/differ"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// name is a registered name and its claims in the order of registration: its
// transports, or the one claim, without a transport, of what ALIVE2_REQ registered.
type name struct {
	name   string
	claims []claim
}

// claim is what one registration holds.
type claim struct {
	transport string
	port      uint16
	owner     registry.Owner
}

// names are those of a snapshot, the most recent first.
func names(s registry.Snapshot) []name {
	var out []name
	for _, e := range s.Nodes {
		n := name{name: e.Node.Name}
		for _, t := range e.Transports {
			n.claims = append(n.claims, claim{t.Name, t.Port, t.Owner})
		}
		if e.Transports == nil {
			n.claims = []claim{{"", e.Node.Port, e.Owner}}
		}
		out = append(out, n)
	}
	return out
}

// checkChange: the registry changes by a registration that was answered with 0, by a
// stop that names whom it evicts, and by the end of a holder; and by nothing else.
func checkChange(f differ.Fed) error {
	before, after := names(f.Before), names(f.After)
	want, what := before, f.Result.Tag.String()
	done := granted(f.Result)
	switch {
	case done != (f.Result.Verdict == session.Keep && f.Result.Err == nil && f.Result.Tag != 0):
		return fmt.Errorf("%s is answered %q, %w", what, f.Result.Reply, f.Result.Err)
	case done != f.Session.Holds() && !f.Held:
		return fmt.Errorf("%s is answered %q, but something is held: %v", what, f.Result.Reply, f.Session.Holds())
	case done:
		want = with(before, after, string(f.Result.Name), f.Session.Owner())
	case f.Held && !f.Session.Holds():
		// A stop may have ended the registration before.
		want, what = without(before, f.Session.Owner()), "the end of one connection"
	case len(f.Result.Evict) > 0:
		if err := checkStop(f.Result, before); err != nil {
			return err
		}
		want = without(before, f.Result.Evict...)
	case !reflect.DeepEqual(f.Before.Old, f.After.Old):
		return fmt.Errorf("%s changed the old names", what)
	}
	if !reflect.DeepEqual(want, after) {
		return fmt.Errorf("%s made %v of %v, expected %v", what, after, before, want)
	}
	return checkNames(after)
}

// granted says that a registration was answered with 0.
func granted(r session.Result) bool {
	resp, n, err := wire.ParseAlive2Resp(r.Reply)
	if r.Tag == wire.TagAlive3Req {
		var framed wire.Alive3Resp
		framed, n, err = wire.ParseAlive3Resp(r.Reply)
		resp = wire.Alive2Resp(framed)
	}
	return r.Verdict == session.Keep && err == nil && n == len(r.Reply) && resp.Result == 0
}

// with is the names and one claim of an owner's more, which is the last of its name's.
// What it claims is as it came out.
func with(before, after []name, of string, o registry.Owner) []name {
	i := slices.IndexFunc(after, func(n name) bool { return n.name == of })
	if i < 0 || after[i].claims[len(after[i].claims)-1].owner != o {
		return nil
	}
	added := after[i].claims[len(after[i].claims)-1]
	out := slices.Clone(before)
	if i = slices.IndexFunc(out, func(n name) bool { return n.name == of }); i >= 0 {
		out[i].claims = append(slices.Clone(out[i].claims), added)
		return out
	}
	return slices.Insert(out, 0, name{of, []claim{added}})
}

// without is the names less all claims of some owners, and less the names that have
// none left.
func without(before []name, owners ...registry.Owner) []name {
	var out []name
	for _, n := range before {
		left := slices.DeleteFunc(slices.Clone(n.claims), func(c claim) bool { return slices.Contains(owners, c.owner) })
		if len(left) > 0 {
			out = append(out, name{n.name, left})
		}
	}
	return out
}

// checkStop: whom a stop evicts is everybody who held the name, once each.
func checkStop(r session.Result, before []name) error {
	if r.Tag != wire.TagStopReq && r.Tag != wire.TagStop3Req {
		return fmt.Errorf("%v evicts %v", r.Tag, r.Evict)
	}
	var holders []registry.Owner
	for _, n := range before {
		for _, c := range n.claims {
			if n.name == string(r.Name) && !slices.Contains(holders, c.owner) {
				holders = append(holders, c.owner)
			}
		}
	}
	if !slices.Equal(holders, r.Evict) {
		return fmt.Errorf("a stop of %q evicts %v, of %v", r.Name, r.Evict, before)
	}
	return nil
}

// checkNames: a name is there once, and has each transport once, and not too many.
func checkNames(all []name) error {
	seen := make(map[string]bool)
	for _, n := range all {
		if seen[n.name] {
			return fmt.Errorf("the name %q is registered twice", n.name)
		}
		seen[n.name] = true
		of := make(map[string]bool)
		for _, c := range n.claims {
			of[c.transport] = true
		}
		if len(of) != len(n.claims) || len(of) > wire.MaxTransports {
			return fmt.Errorf("the name %q has the transports %v", n.name, n.claims)
		}
	}
	return nil
}
