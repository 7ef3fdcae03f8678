package nodes

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/goepmd/goepmd/internal/testbed"
)

// starter starts an EPMD on a port of all addresses, as Suite.Start does.
type starter = func(context.Context, uint16) (Daemon, error)

// daemon is the daemon under test, which may be stopped and started again.
type daemon struct {
	epmd
	start starter

	mu      sync.Mutex
	running Daemon
}

// run starts it.
func (d *daemon) run(ctx context.Context) error {
	running, err := d.start(ctx, d.port)
	if err != nil {
		return fmt.Errorf("the daemon does not start: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = running
	return nil
}

// stop ends it.
func (d *daemon) stop() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running == nil {
		return nil
	}
	return d.running.Stop()
}

// Program starts an EPMD program on this machine with arguments and -port; it
// is for [Suite.Start]. It ends with this process, where the system can do that.
func Program(path string, args ...string) func(context.Context, uint16) (Daemon, error) {
	return func(ctx context.Context, port uint16) (Daemon, error) {
		cmd := testbed.Command(path, append(args[:len(args):len(args)], "-port", strconv.Itoa(int(port)))...)
		p, err := testbed.StartOn(ctx, port, cmd)
		return program{p}, err
	}
}

// program is a running program.
type program struct{ *testbed.Process }

func (p program) Stop() error {
	p.Process.Stop()
	return nil
}
