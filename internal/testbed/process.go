package testbed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Command is a call of a program, without what an EPMD reads from the environment. It ends
// with this process, however that ends, where the system can do that.
func Command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "ERL_EPMD_") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	dieWithParent(cmd)
	return cmd
}

// CommandWithFiles is Command with a limit of open files; zero leaves that of this process.
func CommandWithFiles(files int, path string, args ...string) *exec.Cmd {
	if files == 0 {
		return Command(path, args...)
	}
	limit := fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, files)
	return Command("sh", append([]string{"-c", limit, path}, args...)...)
}

// Process is a program that runs.
type Process struct {
	// Port is where it listens.
	Port uint16
	// Stdout and Stderr are what it has written, unless its command says where to.
	Stdout, Stderr Output

	cmd   *exec.Cmd
	ended chan struct{}
}

// startTries is how many ports are tried: somebody else may take one in the moment
// between finding it free and using it.
const startTries = 5

// EndError is the end of a program that should have listened.
type EndError struct{ Result }

func (e *EndError) Error() string {
	return fmt.Sprintf("it ended with status %d instead of listening: %s%s", e.Status, e.Stdout, e.Stderr)
}

// Start starts a program, whose call it is told for a port, on a free port, and returns
// when it answers. The context bounds the start only. If the program ends before, the error
// is an [EndError].
func Start(ctx context.Context, call func(port uint16) *exec.Cmd) (*Process, error) {
	var last error
	for range startTries {
		port, err := FreePort()
		if err != nil {
			return nil, err
		}
		p, err := StartOn(ctx, port, call(port))
		end := new(EndError)
		if !errors.As(err, &end) || end.Status != 0 {
			return p, err
		}
		last = err // with this status an EPMD ends whose port is taken
	}
	return nil, last
}

// StartOn starts a program that listens on a certain port.
func StartOn(ctx context.Context, port uint16, cmd *exec.Cmd) (*Process, error) {
	p := &Process{Port: port, cmd: cmd, ended: make(chan struct{})}
	for to, own := range map[*io.Writer]*Output{&cmd.Stdout: &p.Stdout, &cmd.Stderr: &p.Stderr} {
		if *to == nil {
			*to = own
		}
	}
	cmd.WaitDelay = outputDelay
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // its state tells
	}()
	err := AwaitListening(ctx, port, p.ended)
	if err == nil {
		return p, nil
	}
	p.Stop()
	if errors.Is(err, ErrEnded) {
		err = &EndError{Result{cmd.ProcessState.ExitCode(), p.Stdout.String(), p.Stderr.String()}}
	}
	return nil, err
}

// PID is its number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends it a signal.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Ended is closed when it has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Exit waits for its end, until the context ends, and gives its exit status; -1 for a
// signal.
func (p *Process) Exit(ctx context.Context) (int, error) {
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, errors.New("the daemon does not end")
	}
}

// State is how it has ended; nil while it runs.
func (p *Process) State() *os.ProcessState {
	select {
	case <-p.ended:
		return p.cmd.ProcessState
	default:
		return nil
	}
}

// Died says how it has ended; empty while it runs.
func (p *Process) Died() string {
	if s := p.State(); s != nil {
		return s.String()
	}
	return ""
}

// Stop kills it, and waits for its end; doing so again is fine.
func (p *Process) Stop() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}
