package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/goepmd/goepmd/epmd"
)

// state is what an EPMD, or what is in its place, does with a question.
type state uint8

const (
	answers  state = iota
	refused        // nobody listens
	filtered       // no connection comes about
	silent         // a connection, and nothing on it
	closes         // a connection that is closed unanswered
	foreign        // an answer that is none of an EPMD
)

// answer is what came of a NAMES_REQ.
type answer struct {
	at    netip.AddrPort
	state state
	names epmd.Names
	err   error
}

func (a answer) String() string {
	switch a.state {
	case answers:
		return fmt.Sprintf("%s answers", a.at.Addr())
	case refused:
		return fmt.Sprintf("%s refuses", a.at.Addr())
	case filtered:
		return fmt.Sprintf("%s cannot be reached", a.at.Addr())
	case silent:
		return fmt.Sprintf("%s is silent", a.at.Addr())
	case closes:
		return fmt.Sprintf("%s closes unanswered", a.at.Addr())
	}
	return fmt.Sprintf("%s is no EPMD", a.at.Addr())
}

// client asks one address, and notes in dialed whether there was a connection.
func (w *walk) client(at netip.AddrPort, dialed *atomic.Bool) *epmd.Client {
	timeout := w.d.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	return &epmd.Client{
		Addr: at.String(), Timeout: timeout,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			c, err := w.d.dial(ctx, at)
			dialed.Store(err == nil)
			return c, err
		},
	}
}

// ask asks an address for its list.
func (w *walk) ask(at netip.AddrPort) answer {
	var dialed atomic.Bool
	names, err := w.client(at, &dialed).Names(w.ctx)
	a := answer{at: at, names: names, err: err}
	switch {
	case err == nil:
		a.state = answers
	case !dialed.Load() && isRefused(err):
		a.state = refused
	case !dialed.Load():
		a.state = filtered
	case errors.Is(err, epmd.ErrBadAnswer):
		a.state = foreign
	case errors.Is(err, context.DeadlineExceeded):
		a.state = silent
	default:
		a.state = closes
	}
	return a
}

// askAll asks addresses at once for their lists, each one time in an examination.
func (w *walk) askAll(addrs []netip.Addr, port uint16) []answer {
	all := make([]answer, len(addrs))
	var group sync.WaitGroup
	for i, addr := range addrs {
		at := netip.AddrPortFrom(addr, port)
		if a, known := w.asked[at]; known {
			all[i] = a
			continue
		}
		group.Go(func() { all[i] = w.ask(at) })
	}
	group.Wait()
	for _, a := range all {
		w.asked[a.at] = a
	}
	return all
}

// differ says whether two addresses are those of two EPMDs. That lists differ may come
// of a registration in between: then the first one has changed, too.
func (w *walk) differ(a, b netip.AddrPort) bool {
	const tries = 3
	for range tries {
		first, other, again := w.ask(a), w.ask(b), w.ask(a)
		switch {
		case first.state != answers || other.state != answers || again.state != answers:
			return false
		case sameNodes(first.names, other.names):
			return false
		case sameNodes(first.names, again.names):
			return true
		}
	}
	return false // too lively to tell
}

func sameNodes(a, b epmd.Names) bool {
	order := func(x, y epmd.NamePort) int { return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Port, y.Port)) }
	return slices.Equal(slices.SortedFunc(slices.Values(a.Nodes), order), slices.SortedFunc(slices.Values(b.Nodes), order))
}

// lookup asks an EPMD that answers for a name.
func (w *walk) has(at netip.AddrPort, name string) bool {
	var dialed atomic.Bool
	_, err := w.client(at, &dialed).Lookup(w.ctx, name)
	return err == nil
}

func (d *Doctor) resolver() Resolver {
	if d.Resolver != nil {
		return d.Resolver
	}
	return net.DefaultResolver
}
