package conformance

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// Address is an EPMD that runs already, on any machine. Scenarios that need a
// daemon of their own are skipped; the others are played one after the other. No
// node may be registered with it.
func Address(name string, addr netip.AddrPort) Target {
	return &address{name: name, addr: addr, turn: make(chan struct{}, 1)}
}

type address struct {
	name string
	addr netip.AddrPort
	turn chan struct{} // holds one while a scenario is played
}

func (a *address) Name() string { return a.name }

func (a *address) Start(ctx context.Context, c Config) (Daemon, error) {
	if c.NoPast && c.Plain() && !c.Fresh {
		return nil, Unsupported("it needs a daemon that remembers no name, and this one may")
	}
	if c.Fresh || !c.Plain() {
		return nil, Unsupported("it needs a daemon of its own, and this one runs already")
	}
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	d := &borrowed{address: a}
	if err := d.awaitEmpty(ctx); err != nil {
		_ = d.Close() // it has nothing to close
		return nil, err
	}
	return d, nil
}

// borrowed is a daemon that was there before.
type borrowed struct {
	address *address
	once    sync.Once
}

// awaitEmpty returns when no node is registered: those of the scenario before may still
// be on their way out.
func (d *borrowed) awaitEmpty(ctx context.Context) error {
	const header = 4
	var list []byte
	for begun := time.Now(); time.Since(begun) < 2*time.Second; {
		c, err := d.Dial(ctx, Route{})
		if err != nil {
			return err
		}
		list, err = exchange(ctx, c, frame([]byte{'n'}), untilClosed)
		if err != nil {
			return err
		}
		if len(list) == header {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	if len(list) < header {
		return fmt.Errorf("%s is no EPMD: it does not answer NAMES_REQ", d.address.addr)
	}
	return fmt.Errorf("nodes are registered with %s: the suite needs one without: %s", d.address.addr, list[header:])
}

func (d *borrowed) Port() uint16 { return d.address.addr.Port() }

func (d *borrowed) Dial(ctx context.Context, r Route) (Conn, error) {
	if r != (Route{}) {
		return nil, Unsupported("it needs a certain address, and the daemon's is given")
	}
	return DialTCP(ctx, d.address.addr, netip.Addr{})
}

func (d *borrowed) Exit(context.Context) (int, error) {
	return 0, Unsupported("the daemon is not ours")
}

func (d *borrowed) Command(context.Context, Command) (Output, error) {
	return Output{}, Unsupported("there is an address, but no program")
}

func (d *borrowed) Close() error {
	d.once.Do(func() { <-d.address.turn })
	return nil
}
