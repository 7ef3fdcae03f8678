package main

import (
	"runtime"
	"sync"
)

const (
	// mostProcs is how many processors a daemon uses at most: its loop takes one, Go's
	// own work the others.
	mostProcs = 4
	// earlyThreads is how many threads a daemon begins with, besides some of Go's own:
	// as many as can run, and wait in system calls, at once.
	earlyThreads = 7
)

// makeThreads has Go make the threads at once that the daemon may need one day. Go keeps
// them, and ends the program where it cannot make one, which must not be when nodes have
// registered.
func makeThreads() {
	procs := min(runtime.GOMAXPROCS(1), mostProcs) // with more, Go makes more, or not, by chance
	defer runtime.GOMAXPROCS(procs)
	var made, gone sync.WaitGroup
	made.Add(earlyThreads)
	over := make(chan struct{})
	for range earlyThreads {
		gone.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			made.Done()
			<-over
		})
	}
	made.Wait()
	close(over)
	gone.Wait()
}
