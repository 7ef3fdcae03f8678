package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/goepmd/goepmd/conformance"
)

// The elements of JUnit's XML, as far as its readers agree on them.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		XMLName   xml.Name    `xml:"testsuite"`
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Time      string      `xml:"time,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		XMLName   xml.Name    `xml:"testcase"`
		ClassName string      `xml:"classname,attr"`
		Name      string      `xml:"name,attr"`
		Time      string      `xml:"time,attr"`
		Failure   *junitFault `xml:"failure"`
		Error     *junitFault `xml:"error"`
		Skipped   *junitFault `xml:"skipped"`
		Out       string      `xml:"system-out,omitempty"`
	}
	junitFault struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a report as JUnit's XML: a testsuite for each target, a testcase for
// each scenario. What deviates has passed, and says so. Its error is w's.
func JUnit(w io.Writer, r conformance.Report) error {
	all := junitSuites{Name: "epmd-conformance", Time: junitTime(r.Took)}
	for _, c := range r.Columns {
		n := c.Count()
		s := junitSuite{
			Name: clean(c.Target), Tests: len(c.Results), Time: junitTime(c.Took),
			Failures: n[conformance.Failed], Errors: n[conformance.Broken], Skipped: n[conformance.Skipped],
			Timestamp: r.Began.UTC().Format("2006-01-02T15:04:05"),
		}
		for i, x := range c.Results {
			s.Cases = append(s.Cases, junitOf(c, r.Scenarios[i], x))
		}
		all.Suites = append(all.Suites, s)
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
		all.Skipped += s.Skipped
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", " ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func junitOf(c conformance.Column, s conformance.Scenario, r conformance.Result) junitCase {
	out := junitCase{ClassName: clean(c.Target + "." + r.Area), Name: clean(r.Scenario), Time: junitTime(r.Took)}
	reason := clean(r.Reason)
	switch r.Verdict {
	case conformance.Failed:
		out.Failure = &junitFault{Message: reason, Type: "failed", Text: faultText(c, s, r)}
		if r.Failure != nil {
			out.Failure.Message = clean(r.Failure.What)
		}
	case conformance.Broken:
		out.Error = &junitFault{Message: reason, Type: "broken", Text: faultText(c, s, r)}
	case conformance.Skipped:
		out.Skipped = &junitFault{Message: reason}
	case conformance.Deviates:
		out.Out = "deviates: " + reason
	}
	return out
}

// faultText is what a terminal would show.
func faultText(c conformance.Column, s conformance.Scenario, r conformance.Result) string {
	t := &terminal{o: Options{Width: 100}}
	t.fault(c, s, r)
	return "\n" + strings.TrimRight(t.out.String(), "\n") + "\n"
}

func junitTime(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
