package report

import (
	"slices"

	"github.com/goepmd/goepmd/conformance"
)

// run is some bytes that belong together, as they had to be and as they came. Both
// sides of a view are made of the same runs, so that they stay side by side.
type run struct {
	field string
	at    int    // where it begins
	hole  string // as it is written, if no bytes were given
	want  []byte // empty for a hole
	got   []byte
	size  int  // how many bytes wide it is: of the longer side
	wrong bool // a hole that something else fills
}

// bad says that the i-th byte is not as it must be.
func (r run) bad(i int) bool {
	if r.hole != "" {
		return r.wrong
	}
	return i >= len(r.want) || i >= len(r.got) || r.want[i] != r.got[i]
}

// firstBad is the first byte that is not as it must be, or -1.
func (r run) firstBad() int {
	for i := range r.size {
		if r.bad(i) {
			return i
		}
	}
	return -1
}

// clip is the part of a run between two offsets in it.
func (r run) clip(from, to int) run {
	part := func(b []byte) []byte { return b[min(from, len(b)):min(to, len(b))] }
	r.at, r.size = r.at+from, to-from
	r.want, r.got = part(r.want), part(r.got)
	return r
}

// sides lays what came beside what had to come. at is where they begin to differ in
// what came, and lies behind its end if they do not.
func sides(want conformance.Bytes, got []byte, at int) []run {
	var runs []run
	pos := 0
	for _, p := range want {
		n := min(length(p, got[pos:]), len(got)-pos)
		r := run{field: p.Field, at: pos, want: p.Bytes, got: got[pos : pos+n]}
		r.size = max(len(r.want), n)
		if p.Hole.Kind != "" {
			r.hole, r.want = p.Hole.String(), nil
			r.size = max(n, p.Hole.Len(), 1)
			short := n < p.Hole.Len() || n == 0 && p.Hole.Kind != conformance.Rest
			r.wrong = short || at >= pos && at < pos+n
		}
		if r.size > 0 {
			runs = append(runs, r)
		}
		pos += n
	}
	if rest := got[pos:]; len(rest) > 0 {
		runs = append(runs, run{field: "too many", at: pos, got: rest, size: len(rest)})
	}
	return joined(runs)
}

// length is how many of the bytes that came belong to a part.
func length(p conformance.Part, got []byte) int {
	switch {
	case p.Hole.Kind == "":
		return len(p.Bytes)
	case p.Hole.Len() >= 0:
		return p.Hole.Len()
	case p.Hole.Kind == conformance.Rest:
		return len(got)
	}
	n := slices.IndexFunc(got, func(c byte) bool { return c < '0' || c > '9' })
	if n < 0 {
		return len(got)
	}
	return n
}

// joined makes one run of neighbours that have no name.
func joined(runs []run) []run {
	var out []run
	for _, r := range runs {
		last := len(out) - 1
		if last >= 0 && plain(out[last]) && plain(r) && len(out[last].want) == len(out[last].got) {
			l := &out[last]
			l.want = slices.Concat(l.want, r.want)
			l.got = slices.Concat(l.got, r.got)
			l.size += r.size
			continue
		}
		out = append(out, r)
	}
	return out
}

func plain(r run) bool { return r.field == "" && r.hole == "" }

// sent is one side alone.
func sent(b conformance.Bytes) []run {
	var all []byte
	for _, p := range b {
		all = append(all, p.Bytes...)
	}
	return sides(b, all, len(all))
}

// total is how many bytes wide the runs are.
func total(runs []run) int {
	n := 0
	for _, r := range runs {
		n += r.size
	}
	return n
}

// window keeps so many bytes at most: the first, or those around the first that is
// not as it must be. It says how many were left out on either side.
func window(runs []run, room int) (kept []run, before, after int) {
	all := total(runs)
	from := 0
	pos := 0
	for _, r := range runs {
		if i := r.firstBad(); i >= 0 {
			if pos+i >= room*3/4 {
				from = min(pos+i-room/4, all-room)
			}
			break
		}
		pos += r.size
	}
	from = max(from, 0)
	to := min(from+room, all)
	pos = 0
	for _, r := range runs {
		a, b := max(from-pos, 0), min(to-pos, r.size)
		if a < b {
			kept = append(kept, r.clip(a, b))
		}
		pos += r.size
	}
	return kept, from, all - to
}
