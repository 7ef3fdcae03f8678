//go:build unix

package main

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/goepmd/goepmd/fuzz/differ"
)

// programs starts pairs of two programs, and adds up what they cost.
type programs struct {
	a, b string

	mu  sync.Mutex
	all []*differ.Program
}

func (p *programs) start(ctx context.Context, relaxed bool) (*differ.Pair, error) {
	a, err := differ.StartProgram(ctx, p.a, relaxed)
	if err != nil {
		return nil, err
	}
	b, err := differ.StartProgram(ctx, p.b, relaxed)
	if err != nil {
		return nil, errors.Join(err, a.Stop())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, a, b)
	return &differ.Pair{A: a, B: b}, nil
}

// cpu is the processor time of all programs that have ended, and of this one.
func (p *programs) cpu() time.Duration {
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
