package conformance

import (
	"fmt"
	"slices"
	"time"
)

// Verdict is how a scenario went.
type Verdict string

// The verdicts.
const (
	// Passed: all was as it must be.
	Passed Verdict = "passed"
	// Failed: the target did something else.
	Failed Verdict = "failed"
	// Deviates: it did something else, and that was announced.
	Deviates Verdict = "deviates"
	// Skipped: the target cannot be asked this; Result.Reason says why.
	Skipped Verdict = "skipped"
	// Broken: the suite itself could not go on; nothing is known of the target.
	Broken Verdict = "broken"
)

// Verdicts are all of them, the good ones first.
var Verdicts = []Verdict{Passed, Deviates, Skipped, Failed, Broken}

// Good says that nothing has to be mended.
func (v Verdict) Good() bool { return v == Passed || v == Deviates || v == Skipped }

// Report is what a run of the suite found.
type Report struct {
	Began time.Time     `json:"began"`
	Took  time.Duration `json:"took"` // nanoseconds
	// Scenarios are those that were played, in order.
	Scenarios []Scenario `json:"scenarios"`
	// Columns are the targets, in order.
	Columns []Column `json:"columns"`
}

// Column is what was found of one target.
type Column struct {
	Target string `json:"target"`
	// OTP is the version that it must be like; zero is any.
	OTP int `json:"otp,omitempty"`
	// Took is the sum of what its scenarios took; they run side by side.
	Took time.Duration `json:"took"`
	// Unfinished is why not all scenarios were asked, if there was no time for all.
	Unfinished string `json:"unfinished,omitempty"`
	// Results are one for each scenario of the report, in the same order.
	Results []Result `json:"results"`
}

// Result is how one scenario went with one target.
type Result struct {
	Scenario string  `json:"scenario"`
	Area     string  `json:"area"`
	Verdict  Verdict `json:"verdict"`
	// Like is the oldest version of OTP that behaves as the target did, where
	// versions differ: 0 is the oldest of all, 29 is OTP 29. It counts if the
	// scenario has variants and was passed.
	Like int `json:"like,omitempty"`
	// Reason is why it was skipped, broken, or what was announced.
	Reason string `json:"reason,omitempty"`
	// Failure is what went wrong, if it did.
	Failure *Failure `json:"failure,omitempty"`
	// Trace is what was seen, step by step, until the end or the failure. Steps in
	// loops leave no trace unless they fail.
	Trace []Event `json:"trace,omitempty"`
	// Took is the time from the daemon's start to its end.
	Took time.Duration `json:"took"`
}

// Failure is what went wrong.
type Failure struct {
	// Step is the number of the step, from 1, and Text is the step as it is
	// written.
	Step int    `json:"step"`
	Text string `json:"text"`
	// What went wrong, in words.
	What string `json:"what"`
	// Expected and Got are the bytes, if it is about bytes; At is where they begin to
	// differ, in Got.
	Expected Bytes  `json:"expected,omitempty"`
	Got      []byte `json:"got,omitempty"`
	At       int    `json:"at"`

	silent bool // the daemon did not answer in time
}

// String tells what went wrong where, without the bytes.
func (f *Failure) String() string {
	return fmt.Sprintf("step %d, %s: %s", f.Step, f.Text, f.What)
}

// Event is one step, as it went.
type Event struct {
	// Step is the number of the step, from 1, and Text is the step as it is
	// written.
	Step int    `json:"step"`
	Text string `json:"text"`
	// Sent is what was sent, segment by segment; Expected what had to come, and Got
	// what came.
	Sent     []Bytes `json:"sent,omitempty"`
	Expected Bytes   `json:"expected,omitempty"`
	Got      []byte  `json:"got,omitempty"`
	// State is what the connection was then, "open" or "closed", or how the daemon
	// or a command ended; empty if the step does not look.
	State string `json:"state,omitempty"`
	// At is when it was over, since the daemon's start.
	At time.Duration `json:"at"`
}

// Count counts results by verdict.
func (c Column) Count() map[Verdict]int {
	n := make(map[Verdict]int)
	for _, r := range c.Results {
		n[r.Verdict]++
	}
	return n
}

// Like counts, where versions of OTP differ, which of them the target is like: by
// the first version of each variant, 0 for the oldest.
func (c Column) Like() map[int]int {
	n := make(map[int]int)
	for i, r := range c.Results {
		if r.Verdict == Passed && c.Results[i].Like >= 0 {
			n[r.Like]++
		}
	}
	return n
}

// Good says that every target was asked something, and has nothing to mend.
func (r Report) Good() bool {
	return !slices.ContainsFunc(r.Columns, func(c Column) bool { return c.Bad() || !c.Asked() })
}

// Bad says that the target has something to mend, or that the suite could not go on.
func (c Column) Bad() bool {
	return slices.ContainsFunc(c.Results, func(r Result) bool { return !r.Verdict.Good() })
}

// Asked says that something was asked, and that there was time for all.
func (c Column) Asked() bool {
	return c.Unfinished == "" && slices.ContainsFunc(c.Results, func(r Result) bool { return r.Verdict != Skipped })
}

// Areas are those of the scenarios, in order.
func (r Report) Areas() []string {
	var areas []string
	for _, s := range r.Scenarios {
		if !slices.Contains(areas, s.Area) {
			areas = append(areas, s.Area)
		}
	}
	return areas
}
