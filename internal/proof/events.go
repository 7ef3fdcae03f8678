package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// event is a line of `go test -json`.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// test names a test of a package.
type test struct{ pkg, name string }

// module is what the names of our packages begin with.
const module = "github.com/goepmd/goepmd/"

func (t test) String() string {
	return strings.TrimSpace(strings.TrimPrefix(t.pkg, module) + " " + t.name)
}

// most bounds what is kept of a test's output, in bytes.
const most = 32 << 10

// tally counts what the tests of a stage did, while it runs.
type tally struct {
	passed, failed []test
	skipped        map[test]string // with the reason
	covered        map[string]float64
	running        map[string]bool // the packages whose tests run
	ended          int             // how many packages have ended

	outputs map[test][]byte
	parents map[test]bool // tests that have subtests, which are not counted
	over    map[test]bool // tests that have ended, however they did
	log     io.Writer
	rest    []byte
}

func newTally() *tally {
	return &tally{
		skipped: make(map[test]string), covered: make(map[string]float64), running: make(map[string]bool),
		outputs: make(map[test][]byte), parents: make(map[test]bool), over: make(map[test]bool), log: io.Discard,
	}
}

// Write takes the output of `go test -json`, and passes on to the log what it says to people.
func (t *tally) Write(b []byte) (int, error) {
	t.rest = append(t.rest, b...)
	for {
		line, rest, whole := bytes.Cut(t.rest, []byte("\n"))
		if !whole {
			return len(b), nil
		}
		t.rest = rest
		var e event
		text := string(line) + "\n"
		if json.Unmarshal(line, &e) == nil && e.Action != "" {
			t.note(e)
			text = e.Output
		}
		if _, err := io.WriteString(t.log, text); err != nil {
			return 0, err
		}
	}
}

var coverage = regexp.MustCompile(`^coverage: ([0-9.]+)% of statements`)

func (t *tally) note(e event) {
	who := test{e.Package, e.Test}
	switch e.Action {
	case "start":
		t.running[e.Package] = true
	case "output":
		if found := coverage.FindStringSubmatch(e.Output); found != nil && e.Test == "" {
			t.covered[strings.TrimPrefix(e.Package, module)], _ = strconv.ParseFloat(found[1], 64) // it matches a number
		}
		t.keep(who, e.Output)
	case "build-output":
		t.keep(test{e.ImportPath, ""}, e.Output)
	case "build-fail":
		t.failed = append(t.failed, test{e.ImportPath, ""})
	case "pass", "fail", "skip":
		t.end(who, e.Action)
	}
}

func (t *tally) keep(who test, output string) {
	kept := append(t.outputs[who], output...)
	if len(kept) > most {
		kept = kept[len(kept)-most:]
	}
	t.outputs[who] = kept
}

// end takes the end of a test, or of a package if the test has no name.
func (t *tally) end(who test, action string) {
	if who.name == "" {
		delete(t.running, who.pkg)
		t.ended++
		// A package fails by itself where no test of it has failed: it did not build,
		// panicked, or ran out of time.
		if action == "fail" && !slices.ContainsFunc(t.failed, func(f test) bool { return f.pkg == who.pkg }) {
			t.failed = append(t.failed, who)
		}
		return
	}
	if i := strings.LastIndexByte(who.name, '/'); i >= 0 {
		t.parents[test{who.pkg, who.name[:i]}] = true
	}
	t.over[who] = true
	switch {
	case action == "skip":
		t.skipped[who] = reason(string(t.outputs[who]))
	case action == "fail":
		t.failed = append(t.failed, who)
	case !t.parents[who]:
		t.passed = append(t.passed, who)
	}
	if action == "pass" {
		delete(t.outputs, who)
	}
}

// reason is what a test says of its being skipped: the line before the last, without the place
// in the code.
func reason(output string) string {
	_, text, said := strings.Cut(output, ".go:")
	if !said {
		return "no reason given"
	}
	_, text, _ = strings.Cut(text, ": ")
	text, _, _ = strings.Cut(text, "\n")
	return strings.TrimPrefix(text, "SKIPPED: ")
}

// failures are the tests that failed, deepest first, each with what it printed.
func (t *tally) failures() string {
	var b strings.Builder
	for _, f := range t.failed {
		if t.parents[f] && len(t.outputs[f]) < 200 {
			continue // its subtests tell more
		}
		fmt.Fprintf(&b, "FAILED %s\n%s\n", f, t.outputs[f])
	}
	return b.String()
}

// now says which packages run, for the progress.
func (t *tally) now() string {
	names := slices.Sorted(maps.Keys(t.running))
	for i, n := range names {
		names[i] = strings.TrimPrefix(n, module)
	}
	return fmt.Sprintf("%d tests passed, %d packages ended; now %s", len(t.passed), t.ended, strings.Join(names, ", "))
}
