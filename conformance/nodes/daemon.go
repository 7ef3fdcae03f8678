package nodes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"github.com/goepmd/goepmd/conformance"
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
		p := &program{ended: make(chan struct{})}
		p.cmd = exec.Command(path, append(args[:len(args):len(args)], "-port", strconv.Itoa(int(port)))...)
		for _, e := range os.Environ() {
			if !strings.HasPrefix(e, "ERL_EPMD_") {
				p.cmd.Env = append(p.cmd.Env, e)
			}
		}
		p.cmd.Stdout, p.cmd.Stderr = &p.printed, &p.printed
		dieWithParent(p.cmd)
		if err := p.cmd.Start(); err != nil {
			return nil, err
		}
		go func() {
			defer close(p.ended)
			_ = p.cmd.Wait() // how it ended is in its state
		}()
		if err := conformance.AwaitListening(ctx, port, p.ended); err != nil {
			return nil, errors.Join(err, p.Stop(), fmt.Errorf("it is %v, and printed %q", p.cmd.ProcessState, p.printed.String()))
		}
		return p, nil
	}
}

// program is a running program.
type program struct {
	cmd     *exec.Cmd
	printed bytes.Buffer
	ended   chan struct{}
}

func (p *program) Stop() error {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
	return nil
}
