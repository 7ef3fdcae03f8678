package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/goepmd/goepmd/internal/testbed"
)

// Look is what a first look at a target finds, before scenarios are played to it.
type Look struct {
	// Fault is why nothing can be asked; nil if it can.
	Fault *Failure
	// Closes says that it closes a connection after the answer to a lookup.
	Closes bool
	// Lacks are features that it does not have, and why they are thought to be missing.
	Lacks map[Feature]string
}

// looks are the flags by which a program is tried for a feature.
var looks = map[Feature]Config{
	Relaxed:   {Flags: []string{"-relaxed_command_check"}},
	Timeout:   {Flags: []string{"-packet_timeout", "60"}},
	Delay:     {Flags: []string{"-delay_write", "1"}},
	Addresses: {Flags: []string{"-address", "127.0.0.1"}},
	Extension: {Flags: []string{multiTransportFlag}},
}

// closeTime is how long a first look waits for a daemon to close what it has answered.
const closeTime = 2 * time.Second

// LookAt looks at a target: whether it listens, answers a lookup and closes, and which
// features it has of those that are not among without. Its error is that of the context, or
// of what could not be started here.
func LookAt(ctx context.Context, t Target, without []Feature) (Look, error) {
	l := Look{Lacks: make(map[Feature]string)}
	d, err := t.Start(ctx, Config{})
	if end := new(ExitError); errors.As(err, &end) || errors.Is(err, testbed.ErrLate) {
		l.Fault = &Failure{Step: 1, Text: "a first look", What: "it cannot be asked anything: " + err.Error()}
		return l, nil
	}
	if err != nil {
		return l, err
	}
	l.Fault, l.Closes, err = lookUpOnce(ctx, d)
	if err == nil && l.Fault == nil {
		err = l.commands(ctx, d)
	}
	if err = errors.Join(err, d.Close()); err != nil || l.Fault != nil {
		return l, err
	}
	return l, l.flags(ctx, t, without)
}

// lookUpOnce asks for a name that nobody has.
func lookUpOnce(ctx context.Context, d Daemon) (fault *Failure, closes bool, err error) {
	fail := func(what string) *Failure {
		return &Failure{Step: 1, Text: "a -> PORT_PLEASE2_REQ(name=~nobody~)", What: what}
	}
	c, err := d.Dial(ctx, Route{})
	if errors.Is(err, ErrRefused) {
		return fail("nobody listens there"), false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err = c.Send(barrierRequest); err != nil {
		return nil, false, err
	}
	got, state, begun := []byte(nil), StillOpen, time.Now()
	for limit := patience; state == StillOpen && time.Since(begun) < limit; {
		if got, state, err = c.Recv(got, tick); err != nil {
			return nil, false, err
		}
		if len(got) > 0 && limit == patience {
			limit = time.Since(begun) + closeTime
		}
	}
	if len(got) == 0 {
		what := "a lookup is not answered: the connection is closed"
		if state == StillOpen {
			what = fmt.Sprintf("a lookup is not answered within %v", patience)
		}
		return fail(what), false, nil
	}
	return nil, state != StillOpen, nil
}

// commands tries -names.
func (l *Look) commands(ctx context.Context, d Daemon) error {
	out, err := d.Command(ctx, Command{Args: []string{"-names"}})
	switch {
	case errors.Is(err, ErrUnsupported):
		l.Lacks[Commands] = err.Error()
	case err != nil && ctx.Err() == nil:
		l.Lacks[Commands] = "-names does not end: " + err.Error()
	case err != nil:
		return err
	case out.Status != 0:
		l.Lacks[Commands] = fmt.Sprintf("-names ends with status %d", out.Status)
	}
	return nil
}

// flags starts a daemon with each flag that a feature stands for.
func (l *Look) flags(ctx context.Context, t Target, without []Feature) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs error
	for f, c := range looks {
		if _, no := lacking(without, Scenario{Daemon: c}); no {
			continue
		}
		wg.Go(func() {
			d, err := t.Start(ctx, c)
			if err == nil {
				err = d.Close()
			}
			mu.Lock()
			defer mu.Unlock()
			switch end := new(ExitError); {
			case err == nil:
			case errors.Is(err, ErrUnsupported):
				l.Lacks[f] = err.Error()
			case errors.As(err, &end), errors.Is(err, testbed.ErrLate):
				l.Lacks[f] = "it does not start with " + strings.Join(c.Flags, " ")
			default:
				errs = errors.Join(errs, err)
			}
		})
	}
	wg.Wait()
	return errs
}

// String tells what was found, in three lines.
func (l Look) String() string {
	if l.Fault != nil {
		return l.Fault.What
	}
	closes := "closes then"
	if !l.Closes {
		closes = "does not close then"
	}
	has, lacks := []string{}, []string{}
	for _, f := range Features {
		if why, no := l.Lacks[f]; no {
			lacks = append(lacks, string(f)+" ("+why+")")
		} else if _, asked := looks[f]; asked || f == Commands {
			has = append(has, string(f))
		}
	}
	return fmt.Sprintf("it listens, answers a lookup, and %s\nit has: %s\nit lacks: %s", closes, orNothing(has), orNothing(lacks))
}

func orNothing(words []string) string {
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}
