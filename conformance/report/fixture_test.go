package report

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/conformance"
)

// evil is what a target may say to break out of a report.
const evil = "</script><script>alert(1)</script> ]]> \x1b[31m \x00 \xff <b>&amp;"

// fixture is a report with each verdict, variants, holes and long bytes:
//
//	             old 23    new        bad (held to OTP 29)
//	names-empty  passed    passed     broken
//	names-long   passed    deviates   failed
//	alive-again  passed    passed     failed
//	slow-sender  passed 0  passed 29  failed
//	stop-by-…    skipped   passed     skipped
func fixture(t *testing.T) conformance.Report {
	t.Helper()
	scenarios, err := conformance.Load(os.DirFS("testdata"))
	require.NoError(t, err)
	require.Len(t, scenarios, 5)
	r := conformance.Report{
		Began: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Took: 90 * time.Second, Scenarios: scenarios,
		Columns: []conformance.Column{
			{Target: "old", OTP: 23, Took: 3 * time.Second},
			{Target: "new", Took: 4 * time.Second},
			{Target: "bad", OTP: 29, Took: 5 * time.Second},
		},
	}
	for i := range r.Columns {
		for _, s := range scenarios {
			r.Columns[i].Results = append(r.Columns[i].Results, conformance.Result{
				Scenario: s.Name, Area: s.Area, Verdict: conformance.Passed, Took: 1500 * time.Millisecond, Trace: traceOf(s.Steps, byte(i)),
			})
		}
	}
	result := func(target int, name string) *conformance.Result {
		for i, s := range scenarios {
			if s.Name == name {
				return &r.Columns[target].Results[i]
			}
		}
		require.Fail(t, "no scenario "+name)
		return nil
	}
	skip := func(target int, reason string) {
		x := result(target, "stop-by-command")
		x.Verdict, x.Reason, x.Trace = conformance.Skipped, reason, nil
	}
	skip(0, "only an address is known, no program")
	skip(2, evil)
	late := result(1, "slow-sender")
	late.Like, late.Trace = 29, traceOf(scenarios[3].Differs[0].Steps, 0)

	deviates := result(1, "names-long")
	deviates.Verdict, deviates.Reason = conformance.Deviates, "lists are cut on purpose"
	deviates.Failure = longFailure(2000)

	broken := result(2, "names-empty")
	broken.Verdict, broken.Reason, broken.Trace = conformance.Broken, "the program could not be started: "+evil, nil
	long := result(2, "names-long")
	long.Verdict, long.Failure = conformance.Failed, longFailure(2500)

	again := result(2, "alive-again")
	again.Verdict = conformance.Failed
	again.Failure = &conformance.Failure{
		Step: 5, Text: "b <- ALIVE2_X_RESP(creation=x+1), open", What: "result: 01 instead of 00 " + evil,
		Expected: creation("x", 1), Got: []byte{'v', 1, 0, 0, 0, 99, 0xff}, At: 1,
	}
	again.Trace[4].Got = again.Failure.Got

	slow := result(2, "slow-sender")
	slow.Verdict, slow.Like, slow.Trace = conformance.Failed, 29, traceOf(scenarios[3].Differs[0].Steps, 0)
	slow.Failure = &conformance.Failure{Step: 3, Text: "a <- nothing, closed", What: "it is still open"}
	return r
}

// creation is the pattern of a reply to a registration.
func creation(name string, plus uint32) conformance.Bytes {
	return conformance.Bytes{
		{Field: "tag", Bytes: []byte{'v'}}, {Field: "result", Bytes: []byte{0}},
		{Field: "creation", Hole: conformance.Hole{Kind: conformance.Creation4, Name: name, Plus: plus}},
	}
}

// longFailure is a list in which one byte is wrong.
func longFailure(at int) *conformance.Failure {
	got := bytes.Repeat([]byte("n"), 3000)
	got[at] = '<'
	return &conformance.Failure{
		Step: 4, Text: `b <- "n"*3000, closed`, What: "3c instead of 6e",
		Expected: conformance.Bytes{{Bytes: bytes.Repeat([]byte("n"), 3000)}}, Got: got, At: at,
	}
}

// traceOf is a trace of steps whose bytes are those of a registration.
func traceOf(steps []conformance.Step, own byte) []conformance.Event {
	var out []conformance.Event
	for i, s := range steps {
		e := conformance.Event{Step: i + 1, Text: s.String(), At: time.Duration(i) * time.Millisecond}
		switch i {
		case 0, 3:
			e.Sent = []conformance.Bytes{{{Field: "n", Bytes: []byte{0, 1}}, {Field: "tag", Bytes: []byte{'n'}}}}
		case 1, 4:
			e.Expected, e.Got, e.State = creation("x", uint32(i/4)), []byte{'v', 0, 1, 2, 3, own}, "open"
		}
		out = append(out, e)
	}
	return out
}
