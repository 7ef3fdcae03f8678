package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// startTries is how many ports are tried: somebody else may take one in the
// moment between finding it free and using it.
const startTries = 5

// Program is an EPMD program on this machine, started anew for each scenario with the
// flags of OTP's epmd.
func Program(name, path string, args ...string) Target {
	return &program{name: name, path: path, args: args}
}

type program struct {
	name, path string
	args       []string
}

func (p *program) Name() string { return p.name }

func (p *program) Start(ctx context.Context, c Config) (Daemon, error) {
	var errs error
	for range startTries {
		port, err := FreePort()
		if err != nil {
			return nil, err
		}
		d, err := p.start(ctx, c, port)
		if err == nil {
			return d, nil
		}
		errs = err
		if end := new(ExitError); errors.As(err, &end) && (end.Status != 0 || len(c.Flags)+len(c.Env) > 0) {
			return nil, err // it was not for want of the port
		}
	}
	return nil, fmt.Errorf("%s does not start: %w", p.path, errs)
}

func (p *program) start(ctx context.Context, c Config, port uint16) (*process, error) {
	d := &process{program: p, config: c, port: port, ended: make(chan struct{})}
	d.cmd = p.command(c, port, Command{Args: c.Flags, Env: c.Env})
	d.cmd.Stdout, d.cmd.Stderr = &d.stdout, &d.stderr
	dieWithParent(d.cmd)
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(d.ended)
		d.err = d.cmd.Wait()
	}()
	if err := AwaitListening(ctx, port, d.ended); err != nil {
		if errors.Is(err, errEnded) {
			return nil, &ExitError{Output{d.stdout.Bytes(), d.stderr.Bytes(), d.cmd.ProcessState.ExitCode()}}
		}
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// command is a call of the program, with a port that is given as the config says.
func (p *program) command(c Config, port uint16, call Command) *exec.Cmd {
	all := slices.Clone(p.args)
	env := append(cleanEnv(), call.Env...)
	switch number := strconv.Itoa(int(port)); {
	case call.Bare:
	case c.PortByEnv:
		env = append(env, "ERL_EPMD_PORT="+number)
	default:
		all = append(all, "-port", number)
	}
	all = append(all, call.Args...)
	cmd := exec.Command(p.path, all...)
	if c.Files > 0 {
		cmd = exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, c.Files), p.path}, all...)...)
	}
	cmd.Env = env
	return cmd
}

// errEnded says that a daemon has ended before it listened.
var errEnded = errors.New("it ended at once")

// unansweredTries is how often a connection is closed unanswered before that is taken for
// the daemon's way. A program that is being started has for a moment a copy of each file
// of this one, and so of the socket with which the port was found free: connections
// to that come to nothing, and the daemon does not listen yet.
const unansweredTries = 6

// AwaitListening returns when a daemon answers at a port of 127.0.0.1: then it listens at
// all its addresses. It fails when ended is closed before, or when it takes longer
// than a busy machine explains.
func AwaitListening(ctx context.Context, port uint16, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	unanswered := 0
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		c, err := DialRoute(ctx, port, Route{})
		if err == nil {
			err = lookUpNobody(c)
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errUnanswered):
			if unanswered++; unanswered == unansweredTries {
				return nil
			}
		case !errors.Is(err, ErrRefused):
			return err
		}
		select {
		case <-time.After(pause):
		case <-ended:
			return errEnded
		case <-ctx.Done():
			return fmt.Errorf("nobody listens on port %d: %w", port, context.Cause(ctx))
		}
	}
}

// process is a running program.
type process struct {
	program        *program
	config         Config
	port           uint16
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	ended          chan struct{} // closed when it has
	err            error         // of Wait, then
	closing        sync.Once
}

func (d *process) Port() uint16 { return d.port }

func (d *process) Dial(ctx context.Context, r Route) (Conn, error) { return DialRoute(ctx, d.port, r) }

// Said is what the daemon has printed. It must have ended.
func (d *process) Said() string { return d.stdout.String() + d.stderr.String() }

func (d *process) Exit(ctx context.Context) (int, error) {
	select {
	case <-d.ended:
		return d.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, errors.New("it goes on")
	}
}

func (d *process) Command(ctx context.Context, c Command) (Output, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := d.program.command(Config{PortByEnv: d.config.PortByEnv}, d.port, c)
	dieWithParent(cmd)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		return Output{}, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		_ = cmd.Process.Kill() // Wait tells
		<-done
		return Output{}, fmt.Errorf("epmd %s does not end", strings.Join(c.Args, " "))
	}
	if bad := new(exec.ExitError); err != nil && !errors.As(err, &bad) {
		return Output{}, err
	}
	return Output{out.Bytes(), errs.Bytes(), cmd.ProcessState.ExitCode()}, nil
}

func (d *process) Close() error {
	d.closing.Do(func() { _ = d.cmd.Process.Kill() }) // it may have ended
	<-d.ended
	return nil
}
