package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// leftFile is where `make test` notes the tests that it leaves to `make proof`.
var leftFile = filepath.Join(folder, "left-to-proof.json")

// leftToProof is in the reason of each test that `make test` leaves to `make proof`.
const leftToProof = "part of `make proof`"

// unplayed holds the two plans against each other: each test that the plan test left to the
// plan proof must have been played by a stage of it. It gives those that were not.
// A run of some stages alone, or one in which a stage's turn did not come, neither notes nor
// judges anything.
func unplayed(plan string, results []*result, everything bool) ([]test, error) {
	for _, r := range results {
		everything = everything && !errors.Is(r.err, errNotRun)
	}
	switch {
	case !everything || plan != "test" && plan != "proof":
		return nil, nil
	case plan == "test":
		return nil, noteLeft(results)
	}
	text, err := os.ReadFile(leftFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // `make test` has not run here
	}
	if err != nil {
		return nil, err
	}
	var left []string
	if err := json.Unmarshal(text, &left); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w; run `make test` again", leftFile, err)
	}
	var lost []test
	for _, name := range left {
		pkg, name, _ := strings.Cut(name, " ")
		if t := (test{pkg, name}); !played(results, t) {
			lost = append(lost, t)
		}
	}
	return lost, nil
}

// noteLeft writes the list of tests that were left to the plan proof.
func noteLeft(results []*result) error {
	left := []string{}
	for _, r := range results {
		if r.tally == nil {
			continue
		}
		for t, reason := range r.tally.skipped {
			if strings.Contains(reason, leftToProof) {
				left = append(left, t.pkg+" "+t.name)
			}
		}
	}
	slices.Sort(left)
	text, err := json.MarshalIndent(left, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(leftFile, append(text, '\n'), 0o666)
}

// played says whether a stage played a test to its end, or could not for want of a thing
// that the table names.
func played(results []*result, t test) bool {
	for _, r := range results {
		if r.tally != nil && r.tally.over[t] && !strings.Contains(r.tally.skipped[t], leftToProof) {
			return true
		}
	}
	return false
}
