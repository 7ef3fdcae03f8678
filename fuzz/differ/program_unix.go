//go:build unix

package differ

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"time"

	"github.com/goepmd/goepmd/internal/testbed"
)

// Program is an epmd program that runs on a port of its own. It ends with this process,
// however that ends: a fuzzer kills its workers.
type Program struct {
	tcp
	process *testbed.Process
}

// StartProgram starts an epmd program on a free port of the loopback addresses, and
// returns once it listens. With relaxed it allows STOP_REQ; a taken name it refuses at
// once. The context bounds the start only.
func StartProgram(ctx context.Context, path string, relaxed bool) (*Program, error) {
	grace := testbed.NoGrace(ctx, path) // which would have one of two daemons answer later
	p, err := testbed.Start(ctx, func(port uint16) *exec.Cmd {
		args := append([]string{"-port", strconv.Itoa(int(port)), "-address", "127.0.0.1"}, grace...)
		if relaxed {
			args = append(args, "-relaxed_command_check")
		}
		return testbed.Command(path, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("%s does not start: %w", path, err)
	}
	return &Program{tcp{port: p.Port}, p}, nil
}

// Exit waits for the program's end and gives its exit status, -1 for a signal.
func (p *Program) Exit() (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return p.process.Exit(ctx)
}

// Stop kills the program and waits for its end.
func (p *Program) Stop() error {
	p.process.Stop()
	return nil
}

// CPU is the processor time that the program took; zero before its end.
func (p *Program) CPU() time.Duration {
	state := p.process.State()
	if state == nil {
		return 0
	}
	return state.UserTime() + state.SystemTime()
}
