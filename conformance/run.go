package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/goepmd/goepmd/internal/testbed"
)

// DefaultSettle is the default of Runner.Settle.
const DefaultSettle = 40 * time.Millisecond

// Runner plays scenarios to targets.
type Runner struct {
	// Parallel is how many scenarios are played at once; zero is 1.
	Parallel int
	// Settle is how long it takes, after requests on other connections were answered,
	// until nothing more comes on one. Zero is DefaultSettle; negative is none, which is
	// right for a daemon that does one thing at a time, as OTP's does.
	Settle time.Duration
	// Without are features that the target does not have: scenarios that need one are
	// skipped, and say so.
	Without []Feature
	// Look has a first look taken at the target: if it cannot be asked anything, all
	// scenarios fail for that one reason, and what it is found to lack is skipped. Told, if
	// set, is called with what was found.
	Look bool
	Told func(Look)
	// Deviations are what the target is meant to do instead in some scenarios. If it does
	// anything else, as OTP's epmd does too, that is a failure: the list would be wrong.
	Deviations Deviations
	// Progress, if set, is called with each result; one call at a time.
	Progress func(Result)
}

// ErrNothing says that there is nothing to play.
var ErrNothing = errors.New("no scenario is selected")

// Run plays scenarios to a target that is to be like a version of OTP; zero is any. When the
// context ends, it lets what is under way end, skips the rest, and says so in
// Column.Unfinished. Its error is ErrNothing, or why the target could not be looked at: what
// else goes wrong stands in the results.
func (r Runner) Run(ctx context.Context, t Target, otp int, scenarios []Scenario) (Column, error) {
	col := Column{Target: t.Name(), OTP: otp, Results: make([]Result, len(scenarios))}
	if len(scenarios) == 0 {
		return col, ErrNothing
	}
	a, err := r.begin(ctx, t, otp)
	if err != nil {
		return col, err
	}
	var wg sync.WaitGroup
	var mu sync.Mutex // of Progress
	record := func(at int, res Result) {
		col.Results[at] = res
		if r.Progress != nil {
			mu.Lock()
			defer mu.Unlock()
			r.Progress(res)
		}
	}
	places := make(chan struct{}, max(r.Parallel, 1))
	for _, s := range slowFirst(scenarios) {
		select {
		case places <- struct{}{}:
			wg.Go(func() {
				defer func() { <-places }()
				record(s.at, a.ask(ctx, *s.scenario))
			})
		case <-ctx.Done():
			record(s.at, skipped(*s.scenario, notAsked(ctx)))
		}
	}
	wg.Wait()
	for _, res := range col.Results {
		col.Took += res.Took
	}
	if ctx.Err() != nil {
		col.Unfinished = context.Cause(ctx).Error()
	}
	return col, nil
}

// placed is a scenario and its place in the report.
type placed struct {
	scenario *Scenario
	at       int
}

// slowFirst is the scenarios in the order in which they are played: those that wait
// first, so that the others run beside them.
func slowFirst(scenarios []Scenario) []placed {
	var slow, fast []placed
	for i := range scenarios {
		p := placed{&scenarios[i], i}
		if scenarios[i].slow() {
			slow = append(slow, p)
		} else {
			fast = append(fast, p)
		}
	}
	return append(slow, fast...)
}

// slow says that the scenario waits for time to pass, or does very much.
func (s *Scenario) slow() bool {
	for _, step := range s.Steps {
		if step.kind == waits || step.kind == loops || step.after.max > 0 || s.Quiet {
			return true
		}
	}
	return false
}

// One plays one scenario.
func (r Runner) One(ctx context.Context, t Target, otp int, s Scenario) Result {
	res := Result{Scenario: s.Name, Area: s.Area}
	begun := time.Now()
	d, deviates := r.Deviations[s.Name]
	switch {
	case deviates:
		s.Quiet = d.Quiet
		r.play(ctx, t, s, d.Steps, &res)
		if res.Verdict == Passed {
			res.Verdict, res.Reason = Deviates, d.Why
		}
	case otp > 0 || len(s.Differs) == 0:
		r.play(ctx, t, s, s.At(otp), &res)
		res.Like = like(s, otp)
	default:
		r.any(ctx, t, s, &res)
	}
	res.Took = time.Since(begun)
	return res
}

// like is the first version of the variant that is meant with a version.
func like(s Scenario, otp int) int {
	since := 0
	for _, v := range s.Differs {
		if otp >= v.Since {
			since = v.Since
		}
	}
	return since
}

// any plays all variants, the newest first, until one is passed. If none is, the result
// is that of the one that went furthest.
func (r Runner) any(ctx context.Context, t Target, s Scenario, res *Result) {
	best := Result{}
	for i := len(s.Differs) - 1; i >= -1; i-- {
		try := *res
		steps := s.Steps
		if i >= 0 {
			steps, try.Like = s.Differs[i].Steps, s.Differs[i].Since
		}
		r.play(ctx, t, s, steps, &try)
		if try.Verdict != Failed {
			*res = try
			return
		}
		if best.Failure == nil || try.Failure.Step > best.Failure.Step {
			best = try
		}
	}
	*res = best
}

// play plays steps to a daemon of their own.
func (r Runner) play(ctx context.Context, t Target, s Scenario, steps []Step, res *Result) {
	c, err := s.Daemon.here()
	if err != nil {
		res.conclude(nil, err)
		return
	}
	o, _ := c.Options() // flags that nobody knows are the daemon's to refuse
	*res = inTime(o.shortest(), watchMachine, func() Result {
		try := *res
		r.once(ctx, t, c, s, steps, &try)
		return try
	})
}

// once plays steps to one daemon.
func (r Runner) once(ctx context.Context, t Target, c Config, s Scenario, steps []Step, res *Result) {
	d, err := t.Start(ctx, c)
	if end := new(ExitError); errors.As(err, &end) {
		if ours(s.Daemon) {
			err = Unsupported("it does not start with %s, so it does not offer the extension", strings.Join(c.Flags, " "))
			res.conclude(nil, err)
			return
		}
		res.conclude(ended(end, steps), nil)
		return
	}
	if errors.Is(err, testbed.ErrLate) {
		res.conclude(&Failure{Step: 1, Text: steps[0].text, What: err.Error(), silent: true}, nil)
		return
	}
	if err != nil {
		res.conclude(nil, err)
		return
	}
	settle := r.Settle
	switch {
	case settle == 0:
		settle = DefaultSettle
	case settle < 0:
		settle = 0
	}
	trace, failure, err := playSteps(ctx, d, s, steps, settle)
	res.Trace = trace
	res.conclude(failure, errors.Join(err, d.Close()))
}

// ended compares the end of a daemon that never listened with the first step.
func ended(end *ExitError, steps []Step) *Failure {
	if steps[0].kind != exits {
		return &Failure{Step: 1, Text: steps[0].text, What: end.Error()}
	}
	f := checkStatus(end.Status, steps[0].status)
	if f != nil {
		f.Step, f.Text = 1, steps[0].text
	}
	return f
}

func (res *Result) conclude(f *Failure, err error) {
	switch {
	case errors.Is(err, ErrUnsupported):
		res.Verdict, res.Reason = Skipped, err.Error()
	case f != nil:
		res.Verdict, res.Failure = Failed, f
	case err != nil:
		res.Verdict, res.Reason = Broken, fmt.Sprint(err)
	default:
		res.Verdict = Passed
	}
}
