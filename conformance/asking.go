package conformance

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// maxSilent is how many scenarios of an area may meet no answer in time before the rest of it
// is skipped: each takes as long as a busy machine explains.
const maxSilent = 3

// asking is a run of scenarios with one target.
type asking struct {
	runner  Runner
	target  Target
	otp     int
	fault   *Failure
	without map[Feature]string // with the reason

	mu     sync.Mutex
	silent map[string]int // by area: scenarios that met no answer in time
}

// begin takes the first look at a target, if there is to be one.
func (r Runner) begin(ctx context.Context, t Target, otp int) (*asking, error) {
	a := &asking{runner: r, target: t, otp: otp, without: make(map[Feature]string), silent: make(map[string]int)}
	for _, f := range r.Without {
		a.without[f] = "as it was said"
	}
	if !r.Look {
		return a, nil
	}
	l, err := LookAt(ctx, t, r.Without)
	if err != nil {
		return nil, err
	}
	if r.Told != nil {
		r.Told(l)
	}
	a.fault = l.Fault
	for f, why := range l.Lacks {
		if _, said := a.without[f]; !said {
			a.without[f] = why
		}
	}
	return a, nil
}

// ask plays a scenario, or says why it is not played.
func (a *asking) ask(ctx context.Context, s Scenario) Result {
	if ctx.Err() != nil {
		return skipped(s, notAsked(ctx))
	}
	if a.fault != nil {
		f := *a.fault
		return Result{Scenario: s.Name, Area: s.Area, Verdict: Failed, Failure: &f}
	}
	if f, lacks := lacking(slices.Sorted(maps.Keys(a.without)), s); lacks {
		return skipped(s, fmt.Sprintf("without %s: %s", f, a.without[f]))
	}
	a.mu.Lock()
	n := a.silent[s.Area]
	a.mu.Unlock()
	if n >= maxSilent {
		return skipped(s, fmt.Sprintf("not asked: %d scenarios of this area met no answer within %v", maxSilent, patience))
	}
	res := a.runner.One(ctx, a.target, a.otp, s)
	if over(ctx) && !res.Verdict.Good() {
		return skipped(s, notAsked(ctx)) // it was cut short
	}
	if res.Failure != nil && res.Failure.silent {
		a.mu.Lock()
		a.silent[s.Area]++
		a.mu.Unlock()
	}
	return res
}

// over says whether there is no time left. A connection may know before the context does.
func over(ctx context.Context) bool {
	if end, bound := ctx.Deadline(); bound && !time.Now().Before(end) {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}

// skipped is the result of a scenario that is not played.
func skipped(s Scenario, why string) Result {
	return Result{Scenario: s.Name, Area: s.Area, Verdict: Skipped, Reason: why}
}

// notAsked says why there was no time for a scenario.
func notAsked(ctx context.Context) string { return "not asked: " + context.Cause(ctx).Error() }
