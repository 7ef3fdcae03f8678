package conformance

import (
	"slices"
	"strings"
)

// Finding is what went wrong for one cause, in one scenario or many.
type Finding struct {
	// Cause is the cause in words.
	Cause string
	// At are the places of the results in their column: the one with the fewest steps
	// first, then in the order of the scenarios.
	At []int
}

// Findings are what a target has to mend, by cause: those of most scenarios first.
func (c Column) Findings(scenarios []Scenario) []Finding {
	var all []Finding
	for i, r := range c.Results {
		if r.Verdict.Good() {
			continue
		}
		cause := r.cause()
		at := slices.IndexFunc(all, func(f Finding) bool { return f.Cause == cause })
		if at < 0 {
			all, at = append(all, Finding{Cause: cause}), len(all)
		}
		all[at].At = append(all[at].At, i)
	}
	for _, f := range all {
		shortest := 0
		for i, at := range f.At {
			if len(scenarios[at].Steps) < len(scenarios[f.At[shortest]].Steps) {
				shortest = i
			}
		}
		at := f.At[shortest]
		copy(f.At[1:], f.At[:shortest])
		f.At[0] = at
	}
	slices.SortStableFunc(all, func(a, b Finding) int { return len(b.At) - len(a.At) })
	return all
}

// The first bytes of the two answers to ALIVE2_REQ.
const (
	alive2Tag  = 'y'
	alive2XTag = 'v'
)

// cause is why a result is not good, without what differs from scenario to scenario.
func (r Result) cause() string {
	f := r.Failure
	if f == nil {
		return r.Reason
	}
	if f.At == 0 && len(f.Got) > 0 && f.Got[0] == alive2Tag && len(f.Expected) > 0 && slices.Equal(f.Expected[0].Bytes, []byte{alive2XTag}) {
		return "it answers a registration as OTP up to 22 does, with 121 and a short creation"
	}
	what, _, _ := strings.Cut(f.What, "\n")
	return what
}
