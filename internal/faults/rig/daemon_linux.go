package rig

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"

	"github.com/goepmd/goepmd/internal/testbed"
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
}

// Daemon is a program that runs.
type Daemon struct {
	*testbed.Process

	in  io.Writer // nil if it does not tell
	out *bufio.Reader
}

// Start runs a program and waits until it answers.
func Start(ctx context.Context, p Program, o Options) (*Daemon, error) {
	var d Daemon
	call := func(port uint16) *exec.Cmd {
		args := append(slices.Clone(p.Args), "-port", strconv.Itoa(int(port)))
		cmd := testbed.CommandWithFiles(o.Files, p.Path, append(args, o.Args...)...)
		if p.Tells {
			in, errIn := cmd.StdinPipe()
			out, errOut := cmd.StdoutPipe()
			d.in, d.out, cmd.Err = in, bufio.NewReader(out), errors.Join(cmd.Err, errIn, errOut)
		}
		return cmd
	}
	var err error
	if o.Port == 0 {
		d.Process, err = testbed.Start(ctx, call)
	} else {
		d.Process, err = testbed.StartOn(ctx, o.Port, call(o.Port))
	}
	if err != nil {
		return nil, fmt.Errorf("%s does not start: %w", p.Path, err)
	}
	return &d, nil
}

// Logged is how many bytes it has written to its standard error.
func (d *Daemon) Logged() int64 { return d.Stderr.Written() }

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
