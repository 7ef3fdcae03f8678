package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// failure is the test that failed; the zero value is none.
type failure struct {
	Package string `json:"package,omitempty"`
	Test    string `json:"test,omitempty"`
	// How is empty if the test said so itself.
	How string `json:"how,omitempty"`
}

func (f failure) String() string {
	s := f.Test + " (" + strings.TrimPrefix(f.Package, "./")
	if f.How != "" {
		s += ", " + f.How
	}
	return s + ")"
}

// testEvent is what `go test -json` writes.
type testEvent struct {
	Action, Test, Output, FailedBuild string
}

// readFailure finds the first test that failed in what `go test -json` wrote about
// a package whose tests did not pass.
func readFailure(pkg string, stdout, stderr []byte) (failure, error) {
	f := failure{Package: pkg}
	var text strings.Builder
	running := ""
	for dec := json.NewDecoder(bytes.NewReader(stdout)); ; {
		var e testEvent
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return f, fmt.Errorf("go test wrote something else than JSON: %w: %s", err, stderr)
		}
		text.WriteString(e.Output)
		switch {
		case e.FailedBuild != "":
			return f, fmt.Errorf("the tests of %s do not compile: %s", pkg, strings.TrimSpace(text.String()))
		case e.Action == "run":
			running, _, _ = strings.Cut(e.Test, "/")
		case e.Action == "fail" && e.Test != "" && f.Test == "":
			f.Test, _, _ = strings.Cut(e.Test, "/")
		}
	}
	said := text.String()
	switch {
	case strings.Contains(said, "panic: test timed out"):
		f.How = "no end"
	case strings.Contains(said, "\nfatal error: "):
		f.How = "fatal error"
	case strings.Contains(said, "\npanic: ") || strings.HasPrefix(said, "panic: "):
		f.How = "panic"
	}
	if f.Test == "" {
		f.Test = running // it never came to an end
	}
	if f.Test == "" {
		return f, fmt.Errorf("the tests of %s failed before the first one: %s%s", pkg, said, stderr)
	}
	return f, nil
}
