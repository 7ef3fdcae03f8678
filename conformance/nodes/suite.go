package nodes

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"sync"

	"github.com/goepmd/goepmd/conformance"
)

// Suite plays the scenarios to a daemon.
type Suite struct {
	// Start starts the daemon under test on a port of all addresses of this machine, and
	// returns when it listens. It is called again with the same port after the daemon was
	// stopped, and by several goroutines at once.
	Start func(ctx context.Context, port uint16) (Daemon, error)
	// Images are what docker calls the images "23", "25", "27", "29", "apps" and "clients", as
	// docker/otp-images makes them. What one that is missing would show is skipped.
	Images map[string]string
	// MultiTransport, if set, is for the scenarios with several transports under one
	// name, which are skipped otherwise.
	MultiTransport *MultiTransport
	// Only, if set, says which scenarios are played.
	Only func(name string) bool
	// Progress, if set, is called with each result; one call at a time.
	Progress func(conformance.Result)
}

// MultiTransport is what nodes with several transports need.
type MultiTransport struct {
	// Start is Suite.Start with the multi-transport extension of the daemon on.
	Start func(ctx context.Context, port uint16) (Daemon, error)
	// Module holds the sources of the EPMD module for the nodes, *.erl and
	// goepmd.app.src, as they are in examples/multi-transport/src.
	Module fs.FS
}

// Daemon is a running EPMD.
type Daemon interface {
	// Stop ends the daemon at once, as a crash would, and waits for its end. Doing so
	// again is fine.
	Stop() error
}

// ErrNoDocker says that there is no Docker engine to run the nodes.
var ErrNoDocker = errors.New("no docker engine answers; its address may be given as DOCKER_HOST")

// Run plays the scenarios, and gives their results in the order of [Scenarios]. It
// fails with [ErrNoDocker], with [conformance.ErrNothing] if none is wanted, or with the
// error of the context; what else goes wrong stands in the results. When it returns,
// its containers are gone.
func (s *Suite) Run(ctx context.Context) ([]conformance.Result, error) {
	want := s.Only
	if want == nil {
		want = func(string) bool { return true }
	}
	var wanted []group
	for _, g := range groups() {
		if g = g.only(want); len(g.scenarios()) > 0 {
			wanted = append(wanted, g)
		}
	}
	if len(wanted) == 0 {
		return nil, conformance.ErrNothing
	}
	h, err := openHall(ctx, s.Images, s.MultiTransport)
	if err != nil {
		return nil, err
	}
	r := &run{suite: s, hall: h, starts: make(chan struct{}, runtime.GOMAXPROCS(0)+1), results: make(map[string]conformance.Result)}
	var all sync.WaitGroup
	for _, g := range wanted {
		all.Go(func() { r.group(ctx, g) })
	}
	all.Wait()
	err = errors.Join(ctx.Err(), h.close())
	var results []conformance.Result
	for _, g := range wanted {
		for _, sc := range g.scenarios() {
			results = append(results, r.results[sc.name])
		}
	}
	return results, err
}

// run is one run of a suite.
type run struct {
	suite *Suite
	hall  *hall
	// starts holds a token for each node that is being started: more at once than there
	// are processors would only make all of them late.
	starts chan struct{}

	mu      sync.Mutex // of what follows, and Progress
	results map[string]conformance.Result
}

// turn waits until another node may be started; done says that it is up.
func (r *run) turn(ctx context.Context) (done func(), err error) {
	select {
	case r.starts <- struct{}{}:
		return func() { <-r.starts }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// group plays the scenarios of a group.
func (r *run) group(ctx context.Context, g group) {
	st := newStage(r)
	if g.start != nil {
		st.d.start = g.start(r)
	}
	defer st.close()
	var warming sync.WaitGroup
	for _, s := range g.warm {
		if s.module && r.suite.MultiTransport == nil {
			continue // nor are the scenarios played
		}
		warming.Go(func() { st.start(ctx, s) })
	}
	lane := func(scenarios []scenario) {
		for _, s := range scenarios {
			r.done(play(ctx, st, s))
		}
	}
	lane(g.first)
	var lanes sync.WaitGroup
	for _, l := range g.lanes {
		lanes.Go(func() { lane(l) })
	}
	lanes.Wait()
	warming.Wait()
}

func (r *run) done(res conformance.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results[res.Scenario] = res
	if r.suite.Progress != nil {
		r.suite.Progress(res)
	}
}
