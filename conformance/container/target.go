package container

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/goepmd/goepmd/conformance"
)

const (
	// patience bounds what should happen at once, on a machine that is busy.
	patience = 20 * time.Second
	// startTries is how many ports are tried: somebody else may take one in the
	// moment between finding it free and using it.
	startTries = 5
)

// Option changes how [New] makes a target.
type Option func(*options)

type options struct {
	program []string
	noShell bool
	expiry  time.Duration
}

// Program names the image's EPMD, and the arguments that always come first. Without,
// it is looked for: "epmd" in the image's PATH, where OTP is usually installed, and at last
// the image's entrypoint.
func Program(words ...string) Option { return func(o *options) { o.program = words } }

// NoShell treats an image as one without a shell, though it may have one.
func NoShell() Option { return func(o *options) { o.noShell = true } }

// Expire is after how long the engine ends the container, should nobody have closed
// the target; 15 minutes unless given, and seconds at least.
func Expire(d time.Duration) Option { return func(o *options) { o.expiry = d } }

// Target is a container with an EPMD in it. It is a [conformance.Target].
type Target struct {
	name    string
	program []string
	runner  runner
}

var _ conformance.Target = (*Target)(nil)

// runner runs programs in a container. Several goroutines use it at once.
type runner interface {
	// run starts a program.
	run(ctx context.Context, j job) (process, error)
	// close ends the container.
	close() error
}

// job is a program to run.
type job struct {
	args  []string
	env   []string // besides the container's own
	files int      // limit of open files; zero leaves the container's
}

// process is a running program.
type process interface {
	// done is closed when it has ended.
	done() <-chan struct{}
	// result is what it printed and how it ended, once it has.
	result() (conformance.Output, error)
	// kill ends it by force; done tells when that has happened.
	kill() error
	// release frees what is kept of it, once it has ended.
	release() error
}

// New starts a container of an image, for daemons to be started in it. [Target.Close]
// ends it; so does the end of this process where the image has a shell.
//
// It fails if there is no engine, image or EPMD.
func New(ctx context.Context, name, image string, opts ...Option) (*Target, error) {
	o := options{expiry: 15 * time.Minute}
	for _, set := range opts {
		set(&o)
	}
	e, err := open()
	if err != nil {
		return nil, err
	}
	entrypoint, err := e.entrypoint(image)
	if err != nil {
		return nil, err
	}
	t := &Target{name: name, program: o.program}
	if !o.noShell {
		l, err := startLauncher(ctx, e, image, o)
		if err == nil {
			t.runner = l
			t.program = first(o.program, l.program, entrypoint)
			if len(t.program) == 0 {
				return nil, errors.Join(fmt.Errorf("image %s: no epmd was found in it: name the program", image), t.Close())
			}
			return t, nil
		}
		if !errors.Is(err, errNoShell) {
			return nil, fmt.Errorf("image %s: %w", image, err)
		}
	}
	t.program = first(o.program, entrypoint)
	if len(t.program) == 0 {
		return nil, fmt.Errorf("image %s: it has neither a shell to look for its epmd with nor an entrypoint: name the program", image)
	}
	if t.runner, err = startExecs(ctx, e, image, t.program, o); err != nil {
		return nil, fmt.Errorf("image %s: %w", image, err)
	}
	return t, nil
}

// first is the first command that is one.
func first(of ...[]string) []string {
	for _, words := range of {
		if len(words) > 0 {
			return words
		}
	}
	return nil
}

// Name is what reports call it.
func (t *Target) Name() string { return t.name }

// Close ends the container, and with it all that runs there. It is called once, when
// the daemons are closed.
func (t *Target) Close() error { return t.runner.close() }

// Start starts a daemon. See [conformance.Target].
func (t *Target) Start(ctx context.Context, c conformance.Config) (conformance.Daemon, error) {
	var errs error
	for range startTries {
		port, err := conformance.FreePort()
		if err != nil {
			return nil, err
		}
		d, err := t.start(ctx, c, port)
		if err == nil {
			return d, nil
		}
		end := new(conformance.ExitError)
		if !errors.As(err, &end) || end.Status != 0 || len(c.Flags)+len(c.Env) > 0 {
			return nil, err // it was not for want of the port
		}
		errs = err
	}
	return nil, fmt.Errorf("%s does not start: %w", t.name, errs)
}

func (t *Target) start(ctx context.Context, c conformance.Config, port uint16) (*daemon, error) {
	p, err := t.runner.run(ctx, t.job(c, port, conformance.Command{Args: c.Flags, Env: c.Env}))
	if err != nil {
		return nil, err
	}
	d := &daemon{target: t, config: c, port: port, process: p}
	err = conformance.AwaitListening(ctx, port, p.done())
	if err == nil {
		return d, nil
	}
	select {
	case <-p.done():
	default:
		return nil, errors.Join(err, d.Close())
	}
	out, failed := p.result()
	if failed = errors.Join(failed, p.release()); failed != nil {
		return nil, failed
	}
	return nil, &conformance.ExitError{Output: out}
}

// job is a call of the program, with a port that is given as the config says.
func (t *Target) job(c conformance.Config, port uint16, call conformance.Command) job {
	j := job{args: slices.Clone(t.program), env: slices.Clone(call.Env), files: c.Files}
	switch number := strconv.Itoa(int(port)); {
	case call.Bare:
	case c.PortByEnv:
		j.env = append(j.env, "ERL_EPMD_PORT="+number)
	default:
		j.args = append(j.args, "-port", number)
	}
	j.args = append(j.args, call.Args...)
	return j
}
