package report

import (
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/goepmd/goepmd/conformance"
)

// maxBytes is how many bytes of each side the page shows; it tells how many there are.
const maxBytes = 512

// The page's data. What comes again and again, in each column, stands once in a list and is
// referred to by its place there; page.js reads it. References that may be missing count
// from 1.
type (
	pageData struct {
		Began     string                `json:"began"`
		Took      float64               `json:"took"` // seconds, as all times here
		Verdicts  []conformance.Verdict `json:"verdicts"`
		Scenarios []pageScenario        `json:"scenarios"`
		Columns   []pageColumn          `json:"columns"`
		Texts     []string              `json:"texts"`
		Runs      []pageRun             `json:"runs"`
		Views     []pageView            `json:"views"`
		Events    []pageEvent           `json:"events"`
	}
	pageScenario struct {
		Name   string   `json:"name"`
		Area   string   `json:"area"`
		Rule   string   `json:"rule"`
		Why    string   `json:"why,omitempty"`
		Daemon []string `json:"daemon,omitempty"`
		// Variants begin with what holds for the oldest versions.
		Variants []pageVariant `json:"variants"`
	}
	pageVariant struct {
		Since int    `json:"since,omitempty"`
		Why   string `json:"why,omitempty"`
		Steps []int  `json:"steps"` // in Texts
	}
	pageColumn struct {
		Target string     `json:"target"`
		Held   string     `json:"held,omitempty"` // "held to OTP 27"
		Took   float64    `json:"took"`
		Cells  []pageCell `json:"cells"`
	}
	pageCell struct {
		Verdict int          `json:"v"`              // in Verdicts
		Variant int          `json:"p,omitempty"`    // in the scenario's: what was played
		Like    string       `json:"like,omitempty"` // "as 29"
		Long    string       `json:"long,omitempty"` // "OTP 29 and later"
		Reason  int          `json:"why,omitempty"`  // in Texts, from 1
		Took    float64      `json:"took"`
		Failure *pageFailure `json:"fail,omitempty"`
		Trace   []int        `json:"trace,omitempty"` // in Events
	}
	pageFailure struct {
		Step int    `json:"step"`
		Text string `json:"text"`
		What string `json:"what"`
		View int    `json:"view,omitempty"` // in Views, from 1
	}
	pageEvent struct {
		Step  int    `json:"s"`
		Text  int    `json:"t"`              // in Texts
		Sent  []int  `json:"sent,omitempty"` // in Views
		View  int    `json:"view,omitempty"` // in Views, from 1
		State string `json:"state,omitempty"`
	}
	// pageView is both sides of some bytes, or what was sent.
	pageView struct {
		Before int   `json:"b,omitempty"` // bytes that were left out
		After  int   `json:"a,omitempty"`
		Runs   []int `json:"r"` // in Runs
	}
	pageRun struct {
		Field string `json:"f,omitempty"`
		Hole  string `json:"h,omitempty"`
		Want  string `json:"w,omitempty"` // in hexadecimal
		Got   string `json:"g,omitempty"`
		Size  int    `json:"n"`
		// Bad are pairs of offsets: the bytes between them are wrong.
		Bad []int `json:"bad,omitempty"`
	}
)

// table keeps each value once.
type table[T any] struct {
	list  []T
	index map[string]int
}

// add gives the value's place.
func (t *table[T]) add(v T) int {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the types above can be written
	}
	i, ok := t.index[string(b)]
	if !ok {
		if t.index == nil {
			t.index = make(map[string]int)
		}
		i = len(t.list)
		t.list = append(t.list, v)
		t.index[string(b)] = i
	}
	return i
}

// tables are the lists of a page under way.
type tables struct {
	texts  table[string]
	runs   table[pageRun]
	views  table[pageView]
	events table[pageEvent]
}

// dataOf is what the page needs of a report.
func dataOf(r conformance.Report) pageData {
	var t tables
	d := pageData{
		Began: r.Began.UTC().Format("2006-01-02 15:04 UTC"), Took: r.Took.Seconds(),
		Verdicts: conformance.Verdicts, Scenarios: []pageScenario{}, Columns: []pageColumn{},
	}
	for _, s := range r.Scenarios {
		d.Scenarios = append(d.Scenarios, t.scenario(s))
	}
	for _, c := range r.Columns {
		column := pageColumn{Target: clean(c.Target), Held: held(c), Took: c.Took.Seconds()}
		for i, x := range c.Results {
			column.Cells = append(column.Cells, t.cell(r.Scenarios[i], x))
		}
		d.Columns = append(d.Columns, column)
	}
	d.Texts, d.Runs, d.Views, d.Events = t.texts.list, t.runs.list, t.views.list, t.events.list
	return d
}

func (t *tables) scenario(s conformance.Scenario) pageScenario {
	out := pageScenario{Name: clean(s.Name), Area: clean(s.Area), Rule: clean(s.Rule), Why: clean(s.Why)}
	for _, d := range daemon(s.Daemon) {
		out.Daemon = append(out.Daemon, clean(d))
	}
	out.Variants = []pageVariant{{Steps: t.steps(s.Steps)}}
	for _, v := range s.Differs {
		out.Variants = append(out.Variants, pageVariant{v.Since, clean(v.Why), t.steps(v.Steps)})
	}
	return out
}

func (t *tables) steps(steps []conformance.Step) []int {
	out := []int{}
	for _, s := range steps {
		out = append(out, t.texts.add(clean(s.String())))
	}
	return out
}

func (t *tables) cell(s conformance.Scenario, r conformance.Result) pageCell {
	out := pageCell{Took: r.Took.Round(time.Millisecond).Seconds()}
	for i, v := range conformance.Verdicts {
		if v == r.Verdict {
			out.Verdict = i
		}
	}
	for i, v := range s.Differs {
		if v.Since == r.Like {
			out.Variant = i + 1
		}
	}
	out.Long, out.Like = like(s, r)
	if r.Reason != "" {
		out.Reason = t.texts.add(clean(r.Reason)) + 1
	}
	if f := r.Failure; f != nil {
		out.Failure = &pageFailure{Step: f.Step, Text: clean(f.Text), What: clean(f.What), View: t.view(sides(f.Expected, f.Got, f.At))}
	}
	for _, e := range r.Trace {
		out.Trace = append(out.Trace, t.event(e, r.Failure))
	}
	return out
}

func (t *tables) event(e conformance.Event, f *conformance.Failure) int {
	out := pageEvent{Step: e.Step, Text: t.texts.add(clean(e.Text)), State: clean(e.State)}
	for _, segment := range e.Sent {
		if v := t.view(sent(segment)); v > 0 {
			out.Sent = append(out.Sent, v-1)
		}
	}
	at := len(e.Got)
	if f != nil && f.Step == e.Step && f.Text == e.Text && string(f.Got) == string(e.Got) {
		at = f.At
	}
	out.View = t.view(sides(e.Expected, e.Got, at))
	return t.events.add(out)
}

// view gives the place of a view, from 1; 0 is none.
func (t *tables) view(runs []run) int {
	if len(runs) == 0 {
		return 0
	}
	var v pageView
	runs, v.Before, v.After = window(runs, maxBytes)
	for _, r := range runs {
		p := pageRun{Field: clean(r.field), Hole: clean(r.hole), Want: hex.EncodeToString(r.want), Got: hex.EncodeToString(r.got), Size: r.size}
		for i := range r.size {
			if !r.bad(i) {
				continue
			}
			if n := len(p.Bad); n > 0 && p.Bad[n-1] == i {
				p.Bad[n-1]++
			} else {
				p.Bad = append(p.Bad, i, i+1)
			}
		}
		v.Runs = append(v.Runs, t.runs.add(p))
	}
	return t.views.add(v) + 1
}
