package main

import (
	"strings"

	"golang.org/x/tools/cover"
)

// coverage is the blocks of the mutated package, by file, and how often a judge's tests
// ran through each.
type coverage map[string][]cover.ProfileBlock

// readCoverage reads a profile that a judge's tests wrote.
func readCoverage(m module, profile string) (coverage, error) {
	profiles, err := cover.ParseProfiles(profile)
	if err != nil {
		return nil, err
	}
	c := coverage{}
	for _, p := range profiles {
		file := strings.TrimPrefix(p.FileName, m.path+"/")
		c[file] = append(c[file], p.Blocks...)
	}
	return c, nil
}

// misses reports whether a mutant stands in a block that no test ran through. What is in
// no block, as a constant or the condition of a case, counts as reached.
func (c coverage) misses(x mutant) bool {
	within := false
	for _, b := range c[x.File] {
		after := x.Line > b.StartLine || x.Line == b.StartLine && x.column >= b.StartCol
		before := x.Line < b.EndLine || x.Line == b.EndLine && x.column < b.EndCol
		if after && before {
			if b.Count > 0 {
				return false
			}
			within = true
		}
	}
	return within
}
