package rig

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/goepmd/goepmd/conformance"
)

// Program is an EPMD program to experiment on.
type Program struct {
	// Name is how tables call it.
	Name string
	// Path is the program, Args what comes before its other arguments.
	Path string
	Args []string
	// Tells says that it answers each line on its standard input by its figures,
	// as the program in ../embedded does.
	Tells bool
}

// Options are how a daemon is started; the zero value is the usual way.
type Options struct {
	// Files is its limit of open files; zero is what this process may open.
	Files int
	// Args are added to its arguments.
	Args []string
	// Port is where it listens; zero is any free port.
	Port uint16
	// Log, if set, is given what it writes to its standard error.
	Log io.Writer
}

// Daemon is a program that runs. It ends with this process, however that ends.
type Daemon struct {
	// Port is where it listens.
	Port uint16

	cmd    *exec.Cmd
	ended  chan struct{}
	logged atomic.Int64
	in     io.Writer
	out    *bufio.Reader
}

// startTries is how many ports are tried: somebody else may take one in the moment
// between finding it free and using it.
const startTries = 5

// Start runs a program and waits until it answers.
func Start(ctx context.Context, p Program, o Options) (*Daemon, error) {
	var errs error
	for range startTries {
		port := o.Port
		if port == 0 {
			var err error
			if port, err = conformance.FreePort(); err != nil {
				return nil, err
			}
		}
		d, err := start(ctx, p, o, port)
		if err == nil {
			return d, nil
		}
		errs = err
		if ctx.Err() != nil || o.Port != 0 || errors.Is(err, os.ErrNotExist) {
			break
		}
	}
	return nil, fmt.Errorf("%s does not start: %w", p.Path, errs)
}

func start(ctx context.Context, p Program, o Options, port uint16) (*Daemon, error) {
	args := append(append([]string{p.Path}, p.Args...), "-port", strconv.Itoa(int(port)))
	args = append(args, o.Args...)
	if o.Files > 0 {
		args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, o.Files)}, args...)
	}
	d := &Daemon{Port: port, cmd: exec.Command(args[0], args[1:]...), ended: make(chan struct{})}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "ERL_EPMD_") {
			d.cmd.Env = append(d.cmd.Env, e)
		}
	}
	d.cmd.Stderr = &counter{n: &d.logged}
	if o.Log != nil {
		d.cmd.Stderr = io.MultiWriter(d.cmd.Stderr, o.Log)
	}
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if p.Tells {
		in, err := d.cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := d.cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		d.in, d.out = in, bufio.NewReader(out)
	}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(d.ended)
		_ = d.cmd.Wait() // ProcessState tells
	}()
	if err := conformance.AwaitListening(ctx, port, d.ended); err != nil {
		d.Stop()
		return nil, err
	}
	return d, nil
}

// counter counts what is written to it.
type counter struct{ n *atomic.Int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return len(b), nil
}

// Stop kills the daemon, which has nothing to save, and waits for its end. Doing so
// again is fine.
func (d *Daemon) Stop() {
	_ = d.cmd.Process.Kill() // it may have ended
	<-d.ended
}

// Ended is closed when the daemon has ended.
func (d *Daemon) Ended() <-chan struct{} { return d.ended }

// Died says how the daemon has ended; empty if it runs.
func (d *Daemon) Died() string {
	select {
	case <-d.ended:
		return d.cmd.ProcessState.String()
	default:
		return ""
	}
}

// Logged is how many bytes it has written to its standard error.
func (d *Daemon) Logged() int64 { return d.logged.Load() }

// Figures are what a program that tells says of itself.
type Figures struct {
	Goroutines int
	// Heap is the bytes of objects in use, right after a garbage collection.
	Heap uint64
	// Stats are the counts of epmd.Stats that are not zero, by name.
	Stats map[string]uint64
}

// Figures asks a program that tells.
func (d *Daemon) Figures() (Figures, error) {
	var f Figures
	if d.in == nil {
		return f, errors.New("this program does not tell its figures")
	}
	if _, err := io.WriteString(d.in, "\n"); err != nil {
		return f, fmt.Errorf("ask the program for its figures: %w", err)
	}
	line, err := d.out.ReadBytes('\n')
	if err != nil {
		return f, fmt.Errorf("read the program's figures: %w", err)
	}
	if err := json.Unmarshal(line, &f); err != nil {
		return f, fmt.Errorf("figures %q: %w", line, err)
	}
	return f, nil
}
