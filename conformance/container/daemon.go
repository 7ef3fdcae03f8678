package container

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/goepmd/goepmd/conformance"
)

// daemon is an EPMD that runs in a container, on a port of this machine.
type daemon struct {
	target  *Target
	config  conformance.Config
	port    uint16
	process process

	closing sync.Once
	closed  error
}

func (d *daemon) Port() uint16 { return d.port }

func (d *daemon) Dial(ctx context.Context, r conformance.Route) (conformance.Conn, error) {
	return conformance.DialRoute(ctx, d.port, r)
}

func (d *daemon) Exit(ctx context.Context) (int, error) {
	select {
	case <-d.process.done():
		out, err := d.process.result()
		return out.Status, err
	case <-ctx.Done():
		return 0, errors.New("it goes on")
	}
}

func (d *daemon) Command(ctx context.Context, c conformance.Command) (conformance.Output, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p, err := d.target.runner.run(ctx, d.target.job(conformance.Config{PortByEnv: d.config.PortByEnv}, d.port, c))
	if err != nil {
		return conformance.Output{}, err
	}
	select {
	case <-p.done():
	case <-ctx.Done():
		return conformance.Output{}, errors.Join(fmt.Errorf("epmd %s does not end", strings.Join(c.Args, " ")), end(p, nil))
	}
	out, err := p.result()
	return out, errors.Join(err, p.release())
}

func (d *daemon) Close() error {
	d.closing.Do(func() {
		if err := end(d.process, d.ask); err != nil {
			d.closed = fmt.Errorf("%s, port %d: %w", d.target.name, d.port, err)
		}
	})
	return d.closed
}

// ask asks the daemon to end, and waits until it has closed the connection. One that has
// nodes refuses.
func (d *daemon) ask() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c, err := d.Dial(ctx, conformance.Route{})
	if err != nil {
		return err
	}
	err = c.Send([]byte{0, 1, 'k'})
	for state := conformance.StillOpen; err == nil && state == conformance.StillOpen; {
		if _, state, err = c.Recv(nil, 50*time.Millisecond); err == nil {
			err = context.Cause(ctx)
		}
	}
	return errors.Join(err, c.Close())
}

// end ends a process by force, or else by asking it, if there is a way to.
func end(p process, ask func() error) error {
	var why error
	deadline := time.After(patience)
	for {
		select {
		case <-p.done():
			return p.release()
		default:
		}
		if why = p.kill(); why != nil && ask != nil {
			// That there was no answer does not matter if it ends.
			why = errors.Join(why, ask())
		}
		select {
		case <-p.done():
		case <-time.After(time.Second):
		case <-deadline:
			return errors.Join(errors.New("it does not end, but will with the container"), why)
		}
	}
}
