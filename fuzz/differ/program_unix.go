//go:build unix

package differ

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/goepmd/goepmd/conformance"
)

// startTries is how many ports are tried: somebody else may take one in the
// moment between finding it free and using it.
const startTries = 5

// Program is an epmd program that runs on a port of its own.
type Program struct {
	tcp
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has
	err   error         // of Wait, then
}

// StartProgram starts an epmd program on a free port of the loopback addresses, and
// returns once it listens. With relaxed it allows STOP_REQ. The context bounds
// the start only.
func StartProgram(ctx context.Context, path string, relaxed bool) (*Program, error) {
	var errs error
	for range startTries {
		p, err := startProgram(ctx, path, relaxed)
		if err == nil {
			return p, nil
		}
		errs = errors.Join(errs, err)
	}
	return nil, fmt.Errorf("%s does not start: %w", path, errs)
}

func startProgram(ctx context.Context, path string, relaxed bool) (*Program, error) {
	port, err := conformance.FreePort()
	if err != nil {
		return nil, err
	}
	args := []string{"-port", strconv.Itoa(int(port)), "-address", "127.0.0.1"}
	if relaxed {
		args = append(args, "-relaxed_command_check")
	}
	p := &Program{tcp: tcp{port: port}, cmd: exec.Command(path, args...), ended: make(chan struct{})}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "ERL_EPMD_") {
			p.cmd.Env = append(p.cmd.Env, e)
		}
	}
	dieWithParent(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	if err := conformance.AwaitListening(ctx, port, p.ended); err != nil {
		select {
		case <-p.ended:
			err = fmt.Errorf("port %d: %w: %w", port, err, orNil(p.err))
		default:
		}
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// orNil is what to say of an end without an error.
func orNil(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// Exit waits for the program's end and gives its exit status, -1 for a signal.
func (p *Program) Exit() (int, error) {
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(patience):
		return 0, errors.New("the program does not end")
	}
}

// Stop kills the program and waits for its end.
func (p *Program) Stop() error {
	err := p.cmd.Process.Kill()
	<-p.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// CPU is the processor time that the program took; zero before its end.
func (p *Program) CPU() time.Duration {
	select {
	case <-p.ended:
		return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	default:
		return 0
	}
}
