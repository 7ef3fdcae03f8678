package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/goepmd/goepmd/conformance"
)

// How often people are told how far it is: on one line of a terminal, or a line each time.
const (
	onTerminal = 100 * time.Millisecond
	inLines    = 5 * time.Second
)

// follow shows what a first look at a target finds, and how far the scenarios are. The
// function that it gives ends that.
func follow(w io.Writer, name string, total int, r *conformance.Runner) (end func()) {
	var mu sync.Mutex
	begun, done, bad := time.Now(), 0, 0
	tty := isTerminal(w)
	r.Told = func(l conformance.Look) {
		fmt.Fprintf(w, "%s: %s\n", name, strings.ReplaceAll(l.String(), "\n", "\n"+name+": "))
	}
	r.Progress = func(res conformance.Result) {
		mu.Lock()
		defer mu.Unlock()
		done++
		if !res.Verdict.Good() {
			bad++
		}
	}
	tell := func(format string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(w, format, name, done, total, bad)
	}
	every, line := inLines, "%s: %d of %d, %d failed\n"
	if tty {
		every, line = onTerminal, "\r%s: %d of %d, %d failed "
	}
	tick, over, told := time.NewTicker(every), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		for {
			select {
			case <-tick.C:
				tell(line)
			case <-over:
				return
			}
		}
	}()
	return func() {
		tick.Stop()
		close(over)
		<-told
		if tty {
			fmt.Fprint(w, "\r")
		}
		fmt.Fprintf(w, "%s: %d scenarios in %.1f s, %d failed \n", name, done, time.Since(begun).Seconds(), bad)
	}
}
