package nodes

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/ory/dockertest/v3/docker"

	"github.com/goepmd/goepmd/internal/otptest/evalloop"
)

// process is a program that runs in a container.
type process struct {
	// in is its standard input.
	in *io.PipeWriter
	// loop reads what it prints, and asks it if it is a node with a loop.
	loop *evalloop.Loop
	// ended is closed when it has ended; then status and err are there.
	ended  chan struct{}
	status int
	err    error
}

// command is a program to run in a container.
type command struct {
	args, env []string
	terminal  bool
}

// start starts a program, which goes on until it ends or the container does.
func (b *box) start(c command) *process {
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	p := &process{in: in, loop: evalloop.Start(in, out), ended: make(chan struct{})}
	b.running.Go(func() {
		defer close(p.ended)
		p.status, p.err = b.exec(c, stdin, stdout)
		_ = stdin.CloseWithError(evalloop.ErrEnded) // is always nil
		_ = stdout.Close()                          // is always nil
		<-p.loop.Ended()
	})
	return p
}

// exec runs a program to its end. It is dockertest's Exec, which cannot read from a
// terminal.
func (b *box) exec(c command, stdin io.Reader, stdout io.Writer) (status int, err error) {
	client := b.hall.pool.Client
	e, err := client.CreateExec(docker.CreateExecOptions{
		Container: b.resource.Container.ID, Cmd: c.args, Env: c.env,
		AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: c.terminal,
	})
	if err != nil {
		return 0, err
	}
	err = client.StartExec(e.ID, docker.StartExecOptions{
		// Hidden is that it could be closed: the client would do so while it reads, and
		// take the end of the program for an error.
		InputStream: struct{ io.Reader }{stdin}, OutputStream: stdout, ErrorStream: stdout, Tty: c.terminal, RawTerminal: c.terminal,
	})
	if err != nil {
		return 0, err
	}
	end, err := client.InspectExec(e.ID)
	if err != nil {
		return 0, err
	}
	return end.ExitCode, nil
}

// hangUp ends the program's input, if it was not ended before.
func (p *process) hangUp() { _ = p.in.Close() } // is always nil

// printed is what it has printed last.
func (p *process) printed() string { return p.loop.Printed() }

// wait waits for the end, and gives the status.
func (p *process) wait(ctx context.Context) (int, error) {
	select {
	case <-p.ended:
		if p.err != nil {
			return 0, fmt.Errorf("%w: %w", errHall, p.err)
		}
		return p.status, nil
	case <-ctx.Done():
		return 0, fmt.Errorf("the program does not end: %w", context.Cause(ctx))
	}
}

// run runs a program to its end, and gives what it printed and its status.
func (b *box) run(ctx context.Context, c command) (printed string, status int, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s: not within %v", c.args[0], patience))
	defer cancel()
	p := b.start(c)
	p.hangUp()
	status, err = p.wait(ctx)
	return p.printed(), status, err
}

// shell runs a line of sh, which must succeed.
func (b *box) shell(ctx context.Context, line string) error {
	printed, status, err := b.run(ctx, command{args: []string{"/bin/sh", "-c", line}})
	if err == nil && status != 0 {
		err = fmt.Errorf("%w: %s: status %d: %s", errHall, line, status, strings.TrimSpace(printed))
	}
	return err
}
