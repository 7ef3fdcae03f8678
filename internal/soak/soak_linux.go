package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/goepmd/goepmd/internal/faults/rig"
	"github.com/goepmd/goepmd/registry"
)

// Config says how to soak.
type Config struct {
	// Program is the daemon, Args are added to its arguments.
	Program rig.Program
	Args    []string
	// For is how long it is kept busy.
	For time.Duration
	// Seed makes every choice of the clients; what they meet depends on time too.
	Seed uint64
	// Nodes is how many are registered all the time; zero is 300, half of them with
	// long names.
	Nodes int
	// Progress is told, now and then, how it goes.
	Progress io.Writer
}

const (
	defaultNodes = 300
	// files is the daemon's limit of open files: such that its limits are reached.
	files         = 1024
	packetTimeout = "5"
	progressEvery = 5 * time.Second
)

// ErrFailed: something was lost, wrong or kept.
var ErrFailed = errors.New("the soak failed")

// steady is a node that is registered all the time.
type steady struct {
	name string
	port uint16
	conn *rig.Conn
}

// run is one soak.
type run struct {
	Config
	d      *rig.Daemon
	dial   *rig.Dialer
	steady []steady
	tally  tally
}

// Run soaks a program and writes a table. Its error is ErrFailed, with what was wrong, or
// says why it could not be done.
func Run(ctx context.Context, c Config, table io.Writer) error {
	if c.Nodes == 0 {
		c.Nodes = defaultNodes
	}
	r := &run{Config: c}
	d, err := rig.Start(ctx, c.Program, rig.Options{Files: files, Args: append([]string{"-packet_timeout", packetTimeout}, c.Args...)})
	if err != nil {
		return err
	}
	defer d.Stop()
	r.d, r.dial = d, &rig.Dialer{Port: d.Port, Block: 1}
	defer r.closeSteady()
	if err := r.register(); err != nil {
		return err
	}
	begun := time.Now()
	// What a busy daemon takes once, it may keep: the bill is for what comes after. That
	// includes the names that it remembers, of which short soaks have too few.
	if err := r.fillRemembered(); err != nil {
		return err
	}
	r.busy(ctx, c.For/4, 0)
	before, errBefore := r.account()
	r.busy(ctx, c.For-c.For/4, 1)
	after, errAfter := r.account()
	if errBefore == nil && errAfter == nil {
		r.compare(before, after)
	}
	r.checkSteady()
	fmt.Fprintf(table, "%s, %v, seed %d\n", c.Program.Name, time.Since(begun).Round(time.Second), c.Seed)
	r.tally.show(table)
	fmt.Fprintf(table, "             after a quarter: %v\n             at the end:      %v\n", before, after)
	if _, wrong := r.tally.sum(); wrong > 0 {
		return fmt.Errorf("%s: %w: %d things went wrong: %s", c.Program.Name, ErrFailed, wrong, strings.Join(r.tally.wrong, "; "))
	}
	return nil
}

// register registers the steady nodes.
func (r *run) register() error {
	for i := range r.Nodes {
		s := steady{name: fmt.Sprintf("steady-%d", i), port: uint16(1000 + i)}
		if i%2 == 0 {
			s.name += strings.Repeat("-", 200)
		}
		var err error
		if s.conn, err = r.dial.Register(s.name, s.port); err != nil {
			return err
		}
		r.steady = append(r.steady, s)
	}
	return nil
}

// fillRemembered lets so many nodes come and go that no more names are remembered.
func (r *run) fillRemembered() error {
	for i := range 2 * registry.DefaultRemember {
		c, err := r.dial.Register(fmt.Sprintf("gone-%d", i), 1)
		if err != nil {
			return err
		}
		c.Close()
	}
	return nil
}

func (r *run) closeSteady() {
	for _, s := range r.steady {
		s.conn.Close()
	}
}

// busy lets all workers loose for a time, and returns when all that they had open is
// closed.
func (r *run) busy(ctx context.Context, d time.Duration, phase uint64) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var wg sync.WaitGroup
	for i, work := range workers {
		wg.Go(func() {
			w := &worker{
				run:  r,
				rng:  rand.New(rand.NewPCG(r.Seed, phase<<32|uint64(i))),
				dial: &rig.Dialer{Port: r.d.Port, Block: byte(10 + i)},
				id:   fmt.Sprintf("%d-%d", phase, i),
			}
			defer w.closeAll()
			for ctx.Err() == nil && r.d.Died() == "" {
				work(w)
				w.rest(3 * time.Millisecond)
			}
		})
	}
	wg.Go(func() { r.progress(ctx) })
	wg.Wait()
	if _, wrong := r.tally.sum(); wrong > 0 {
		// The clients may have met the end of the daemon, which a busy machine tells this
		// program later.
		select {
		case <-r.d.Ended():
		case <-time.After(5 * time.Second):
		}
	}
	if died := r.d.Died(); died != "" {
		r.tally.fail("the daemon ended: %s", died)
	}
}

// progress tells how it goes until the context ends.
func (r *run) progress(ctx context.Context) {
	t := time.NewTicker(progressEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		done, wrong := r.tally.sum()
		size, _ := r.d.Resident() // where it has ended, the soak tells
		open, _ := r.d.Files()
		fmt.Fprintf(r.Progress, "soak: %s: %d done, %d wrong; %.1f MiB, %d files\n",
			r.Program.Name, done, wrong, float64(size)/(1<<20), open)
	}
}
