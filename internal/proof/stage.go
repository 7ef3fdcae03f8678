package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// lane says what a stage does with the machine.
type lane int

const (
	// computes: the stage keeps a processor busy, or all.
	computes lane = iota
	// waits: the stage waits for containers, time-outs or other programs most of the
	// time.
	waits
)

// stage is one part of the proof: one command.
type stage struct {
	name string
	does string // in a few words, for -list
	lane lane
	// after are the stages that must have passed before this one begins.
	after []string
	// command is the program and its arguments; env is added to the environment.
	command, env []string
	// tests says that the command is `go test -json`, whose events are counted.
	tests bool
	// cover is the least share of statements, in percent, that its own tests cover of
	// each package named.
	cover map[string]float64
	// bound is how long the stage may take; zero is usual.
	bound time.Duration
}

// usual is how long a stage may take that names no bound.
const usual = 20 * time.Minute

func (s stage) limit() time.Duration {
	if s.bound == 0 {
		return usual
	}
	return s.bound
}

// shell is a stage's command as a line for the shell.
func shell(line string) []string { return []string{"sh", "-c", line} }

// goTest is the command of a stage of Go tests, in a network of its own unless the
// tests need the machine's. No result comes from the cache; vet is a stage by itself.
func goTest(arguments ...string) []string {
	return slices.Concat([]string{"scripts/netns.sh"}, goTestHere(arguments...))
}

// goTestHere is goTest in the machine's own network, as containers need it.
func goTestHere(arguments ...string) []string {
	return slices.Concat([]string{"go", "test", "-json", "-count=1", "-vet=off", "-timeout", "15m"}, arguments)
}

// describe lists stages.
func describe(w io.Writer, stages []stage) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range stages {
		line := s.does
		if len(s.after) > 0 {
			line += " (after " + strings.Join(s.after, ", ") + ")"
		}
		fmt.Fprintf(t, "%s\t%s\n", s.name, line)
		fmt.Fprintf(t, "\t  %s\n", strings.Join(slices.Concat(s.env, s.command), " "))
	}
	return t.Flush()
}
