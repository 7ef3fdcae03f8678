package soak

import (
	"fmt"
	"time"
)

// account is what a daemon holds while nobody but the steady nodes is there.
type account struct {
	files, goroutines int
	heap, resident    int64
	told              bool // goroutines and heap are known
}

func (a account) String() string {
	text := fmt.Sprintf("%d files, %.1f MiB resident", a.files, float64(a.resident)/(1<<20))
	if a.told {
		text += fmt.Sprintf(", %d goroutines, heap %.2f MiB", a.goroutines, float64(a.heap)/(1<<20))
	}
	return text
}

// What a daemon may hold more at the end than after a quarter of the time: a leak of a
// few bytes for each request would be more.
const (
	moreHeap     = 1 << 20
	moreResident = 8 << 20
)

// settleWithin bounds the wait for a daemon to notice that clients have gone.
const settleWithin = 30 * time.Second

// account reads the account, as soon as the daemon holds no connection but the steady
// ones.
func (r *run) account() (account, error) {
	var a account
	for end := time.Now().Add(settleWithin); ; time.Sleep(50 * time.Millisecond) {
		list, err := r.dial.List()
		if err == nil && len(list) == r.Nodes {
			break
		}
		if time.Now().After(end) || r.d.Died() != "" {
			r.tally.fail("%d names are registered after all others have gone, should be %d (%v)", len(list), r.Nodes, err)
			break
		}
	}
	// Connections that hold no name are noticed in the same order, but their end may
	// be on its way.
	last := -1
	for end := time.Now().Add(settleWithin); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		n, err := r.d.Files()
		if err != nil {
			r.tally.fail("%v", err)
			return a, err
		}
		if n == last {
			break
		}
		last = n
	}
	a.files = last
	if r.Program.Tells {
		f, err := r.d.Figures()
		if err != nil {
			r.tally.fail("%v", err)
			return a, err
		}
		a.told, a.goroutines, a.heap = true, f.Goroutines, int64(f.Heap)
	}
	var err error
	if a.resident, err = r.d.Resident(); err != nil {
		r.tally.fail("%v", err)
	}
	return a, err
}

// compare finds what was kept.
func (r *run) compare(before, after account) {
	if after.files > before.files {
		r.tally.fail("%d files are open at the end, %d were before", after.files, before.files)
	}
	if after.goroutines > before.goroutines {
		r.tally.fail("%d goroutines at the end, %d before", after.goroutines, before.goroutines)
	}
	if after.heap > before.heap+moreHeap {
		r.tally.fail("%d bytes of heap at the end, %d before", after.heap, before.heap)
	}
	if after.resident > before.resident+moreResident {
		r.tally.fail("%d bytes resident at the end, %d before", after.resident, before.resident)
	}
}

// checkSteady sees that every steady node is registered, and nobody else.
func (r *run) checkSteady() {
	list, err := r.dial.List()
	if err != nil {
		r.tally.fail("the list at the end: %v", err)
	}
	if err == nil && len(list) != r.Nodes {
		r.tally.fail("%d names in the list at the end, should be %d", len(list), r.Nodes)
	}
	for _, s := range r.steady {
		if !s.conn.Open() {
			r.tally.fail("the connection of %s was closed", s.name)
		}
		if port, listed := list[s.name]; err == nil && (!listed || port != s.port) {
			r.tally.fail("the list has %s: %v, at port %d, should be %d", s.name, listed, port, s.port)
		}
		port, found, err := r.dial.Lookup(s.name)
		if err != nil || !found || port != s.port {
			r.tally.fail("lookup of %s: found %v, port %d, should be %d (%v)", s.name, found, port, s.port, err)
		} else {
			r.tally.add("steady nodes still registered at the end")
		}
	}
}
