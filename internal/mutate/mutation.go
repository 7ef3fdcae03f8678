package main

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// kind says what sort of mistake a mutation is.
type kind string

const (
	boundary kind = "boundary" // off by one
	check    kind = "check"    // a check dropped, or made too strict
	layout   kind = "layout"   // byte order, offsets, numbers and texts of the protocol
	state    kind = "state"    // something is not kept, or kept too long
	order    kind = "order"    // lists and priorities
	counter  kind = "creation" // creations and their counters
	cache    kind = "cache"    // a kept list outlives a change, or is not kept
	event    kind = "event"    // what subscribers are told
	locality kind = "locality" // who counts as local
	answer   kind = "answer"   // what a connection is answered, and what becomes of it
	clock    kind = "clock"    // deadlines and times
)

// change is one small wrong change: old becomes new.
type change struct {
	id   string // lower-case words, the package in front
	kind kind
	old  string // occurs in the file exactly once
	new  string
	// breaks says in one sentence what is wrong with the mutant.
	breaks string
}

// mutation is a change of a file, whose path is below the module's root.
type mutation struct {
	change
	file string
}

// in says in which file changes are.
func in(file string, changes ...change) []mutation {
	list := make([]mutation, 0, len(changes))
	for _, c := range changes {
		list = append(list, mutation{c, file})
	}
	return list
}

// all is every mutation, in the order of the report.
func all() []mutation {
	return slices.Concat(
		framing(), limits(), tags(), registering(), lookingUp(), listing(), killing(), faults(), transports(),
		refusing(), creations(), registrations(), endings(), links(), lists(), events(),
		chunks(), phases(), requests(), daemons(), peers(), policies(),
	)
}

// pkg is the package that the mutation is in, as the go command takes it.
func (m mutation) pkg() string { return "./" + path.Dir(m.file) }

// apply gives the mutated source. It fails if old does not occur exactly once:
// the list has to follow the code.
func (m mutation) apply(src string) (string, error) {
	if n := strings.Count(src, m.old); n != 1 {
		return "", fmt.Errorf("%s: the old text occurs %d times in %s: bring the list up to date", m.id, n, m.file)
	}
	if m.old == m.new {
		return "", fmt.Errorf("%s: the new text is the old one", m.id)
	}
	return strings.Replace(src, m.old, m.new, 1), nil
}
