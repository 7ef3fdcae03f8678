package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/goepmd/goepmd/conformance"
)

// Schema is the version of the JSON that [JSON] writes. It goes up when a reader of
// the one before would read something wrong; new fields alone do not change it.
const Schema = 1

// ErrFormat says that what was read is no report that this version can read.
var ErrFormat = errors.New("not a conformance report of schema 1")

// envelope is the report with its schema in front.
type envelope struct {
	Schema int `json:"schema"`
	conformance.Report
}

// JSON writes a report as one object: "schema" and the fields of
// [conformance.Report]. Bytes are base64, times nanoseconds, steps their text. Its error
// is w's.
func JSON(w io.Writer, r conformance.Report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(envelope{Schema, r})
}

// Read reads what [JSON] wrote. Its error is [ErrFormat], or r's.
func Read(r io.Reader) (conformance.Report, error) {
	var e envelope
	b, err := io.ReadAll(r)
	if err != nil {
		return e.Report, err
	}
	if err := json.Unmarshal(b, &e); err != nil {
		return conformance.Report{}, fmt.Errorf("%w: it is not what -json writes", ErrFormat)
	}
	if e.Schema != Schema {
		return conformance.Report{}, fmt.Errorf("%w: its schema is %d", ErrFormat, e.Schema)
	}
	if err := check(e.Report); err != nil {
		return conformance.Report{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return e.Report, nil
}

// check says what does not fit together.
func check(r conformance.Report) error {
	seen := make(map[string]bool)
	for _, s := range r.Scenarios {
		if s.Name == "" || seen[s.Name] {
			return fmt.Errorf("scenario %q has no name of its own", s.Name)
		}
		seen[s.Name] = true
	}
	for _, c := range r.Columns {
		if len(c.Results) != len(r.Scenarios) {
			return fmt.Errorf("target %s has %d results for %d scenarios", c.Target, len(c.Results), len(r.Scenarios))
		}
		for i, x := range c.Results {
			if x.Scenario != r.Scenarios[i].Name {
				return fmt.Errorf("target %s has a result of %q where %q should be", c.Target, x.Scenario, r.Scenarios[i].Name)
			}
			if !slices.Contains(conformance.Verdicts, x.Verdict) {
				return fmt.Errorf("target %s: %s: %q is no verdict", c.Target, x.Scenario, x.Verdict)
			}
		}
	}
	return nil
}
