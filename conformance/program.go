package conformance

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/goepmd/goepmd/internal/testbed"
)

// PortHole stands, in the arguments of a program, for the port that it is to listen on.
const PortHole = "{port}"

// Program is an EPMD program on this machine, started anew for each scenario with the
// flags of OTP's epmd, which follow its arguments. One with [PortHole] in its arguments
// takes no flags, commands or variables of OTP's: scenarios that need them are skipped.
func Program(name, path string, args ...string) Target {
	return &program{name: name, path: path, args: args}
}

type program struct {
	name, path string
	args       []string
}

func (p *program) Name() string { return p.name }

// holed says that the arguments say where the port belongs.
func (p *program) holed() bool {
	return slices.ContainsFunc(p.args, func(a string) bool { return strings.Contains(a, PortHole) })
}

func (p *program) Start(ctx context.Context, c Config) (Daemon, error) {
	if p.holed() && (len(c.Flags)+len(c.Env) > 0 || c.PortByEnv) {
		return nil, Unsupported("the program is started by a line of its own, without flags of OTP's")
	}
	d, err := testbed.Start(ctx, func(port uint16) *exec.Cmd {
		return p.command(c, port, Command{Args: c.Flags, Env: c.Env})
	})
	if end := new(testbed.EndError); errors.As(err, &end) {
		err = &ExitError{output(end.Result)}
	}
	if err != nil {
		return nil, fmt.Errorf("%s does not start: %w", p.path, err)
	}
	return &process{d, p, c}, nil
}

// command is a call of the program, with a port that is given as the config says.
func (p *program) command(c Config, port uint16, call Command) *exec.Cmd {
	all, env := slices.Clone(p.args), call.Env
	switch number := strconv.Itoa(int(port)); {
	case call.Bare:
	case p.holed():
		for i, a := range all {
			all[i] = strings.ReplaceAll(a, PortHole, number)
		}
	case c.PortByEnv:
		env = append(env[:len(env):len(env)], "ERL_EPMD_PORT="+number)
	default:
		all = append(all, "-port", number)
	}
	cmd := testbed.CommandWithFiles(c.Files, p.path, append(all, call.Args...)...)
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// FreePort gives a port that nobody listens on at any address, and that it has not given
// lately.
func FreePort() (uint16, error) { return testbed.FreePort() }

// AwaitListening returns when a daemon answers at a port of 127.0.0.1: then it listens at
// all its addresses. It fails when ended is closed before, or when it takes longer
// than a busy machine explains.
func AwaitListening(ctx context.Context, port uint16, ended <-chan struct{}) error {
	return testbed.AwaitListening(ctx, port, ended)
}

// process is a running program.
type process struct {
	*testbed.Process
	program *program
	config  Config
}

func (d *process) Port() uint16 { return d.Process.Port }

func (d *process) Dial(ctx context.Context, r Route) (Conn, error) {
	return DialRoute(ctx, d.Process.Port, r)
}

// Said is what the daemon has printed.
func (d *process) Said() string { return d.Stdout.String() + d.Stderr.String() }

func (d *process) Command(ctx context.Context, c Command) (Output, error) {
	if d.program.holed() {
		return Output{}, Unsupported("the program is started by a line of its own, and has no commands")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := d.program.command(Config{PortByEnv: d.config.PortByEnv}, d.Process.Port, c)
	r, err := testbed.Run(ctx, cmd)
	return output(r), err
}

func output(r testbed.Result) Output { return Output{[]byte(r.Stdout), []byte(r.Stderr), r.Status} }

func (d *process) Close() error {
	d.Stop()
	return nil
}
