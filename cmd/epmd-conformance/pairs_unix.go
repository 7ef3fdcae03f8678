//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/goepmd/goepmd/fuzz/differ"
)

// pairs starts pairs of two programs, and adds up what they cost.
type pairs struct {
	a, b string

	mu  sync.Mutex
	all []*differ.Program
}

func (p *pairs) start(ctx context.Context, relaxed bool) (*differ.Pair, error) {
	a, err := p.one(ctx, p.a, relaxed)
	if err != nil {
		return nil, err
	}
	b, err := p.one(ctx, p.b, relaxed)
	if err != nil {
		return nil, errors.Join(err, a.Stop())
	}
	return &differ.Pair{A: a, B: b}, nil
}

func (p *pairs) one(ctx context.Context, path string, relaxed bool) (*differ.Program, error) {
	d, err := differ.StartProgram(ctx, path, relaxed)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, d)
	return d, nil
}

// scenario is a difference as a scenario that says what the first program does.
func (p *pairs) scenario(ctx context.Context, d *differ.Difference) string {
	a, err := p.one(ctx, p.a, d.Relaxed)
	if err != nil {
		return err.Error()
	}
	var flags []string
	if d.Relaxed {
		flags = []string{"-relaxed_command_check"}
	}
	text, err := differ.Scenario(a, d.Conversation, flags...)
	if err = errors.Join(err, a.Stop()); err != nil {
		text += fmt.Sprintf("# it cannot be written: %v\n", err)
	}
	return text
}

// cpu is the processor time of all programs that have ended, and of this one.
func (p *pairs) cpu() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var sum time.Duration
	for _, d := range p.all {
		sum += d.CPU()
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return sum // less than the whole, but the table is only for reading
	}
	return sum + time.Duration(own.Utime.Nano()+own.Stime.Nano())
}
