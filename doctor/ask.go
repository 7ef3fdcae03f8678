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
	"time"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/wire"
)

// state is what an EPMD, or what is in its place, does with a question. All questions are
// such as every EPMD knows, and none is an empty connection: there are EPMDs that die of
// others.
type state uint8

const (
	answers   state = iota
	unreached       // no connection came about
	silent          // a connection, and nothing on it
	closes          // a connection that is closed unanswered
	foreign         // an answer that is none of an EPMD
)

// answer is what came of a NAMES_REQ.
type answer struct {
	at    netip.AddrPort
	state state
	reach reach // says more of unreached
	names epmd.Names
	err   error
	took  time.Duration
}

func (a answer) refused() bool { return a.state == unreached && a.reach == refused }

// why says the error in a user's words.
func (a answer) why() string { return words(a.err, a.took) }

func (a answer) String() string {
	at := a.at.Addr().String()
	switch a.state {
	case answers:
		return at + " answers"
	case unreached:
		return at + map[reach]string{
			refused: " refuses", absent: " cannot be reached", forbidden: " may not be reached", unheard: " gives no sign",
		}[a.reach]
	case silent:
		return at + " is silent"
	case closes:
		return at + " closes unanswered"
	}
	return at + " is no EPMD"
}

// client asks one address, and notes in reached what came of the connection.
func (w *walk) client(at netip.AddrPort, reached *reach) *epmd.Client {
	*reached = unheard
	return &epmd.Client{
		Addr: at.String(), Timeout: -1, // the context has the bound
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			c, err := w.d.dial(ctx, at)
			*reached = reachOf(err)
			return c, err
		},
	}
}

// ask asks an address for its list. If that takes a while, another question shows whether
// it is a web server.
func (w *walk) ask(ctx context.Context, at netip.AddrPort) answer {
	began := time.Now()
	a := answer{at: at}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer time.AfterFunc(while, func() {
		if err := w.notEPMD(ctx, at); err != nil {
			cancel(err)
		}
	}).Stop()
	a.names, a.err = w.client(at, &a.reach).Names(ctx)
	a.took = time.Since(began)
	if cause := context.Cause(ctx); errors.Is(cause, epmd.ErrBadAnswer) {
		a.err = cause
	}
	switch {
	case a.err == nil:
		a.state = answers
	case a.reach != connected:
		a.state = unreached
	case errors.Is(a.err, epmd.ErrBadAnswer):
		a.state = foreign
	case isTimeout(a.err):
		a.state = silent
	default:
		a.state = closes
	}
	return a
}

// notEPMD asks for a name that ends lines, which is a question that every EPMD knows, and
// which makes a web server answer. It says what answers as no EPMD does.
func (w *walk) notEPMD(ctx context.Context, at netip.AddrPort) error {
	req, err := wire.PortPlease2Req{Name: []byte("doctor\r\n\r\n")}.Append(nil)
	if err != nil {
		return err
	}
	c, err := w.d.dial(ctx, at)
	if err != nil {
		return nil // who asked first knows
	}
	defer func() { _ = c.Close() }() // all that was wanted is read
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	if _, err := c.Write(req); err != nil {
		return nil // likewise
	}
	b := make([]byte, shown)
	n, _ := c.Read(b) // nothing is silence
	if _, _, err := wire.ParsePort2Resp(b[:n]); n == 0 || err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", epmd.ErrBadAnswer, says(b[:n]))
}

// askAll asks addresses at once for their lists, each one time in an examination.
func (w *walk) askAll(addrs []netip.Addr, port uint16) []answer {
	var ats []netip.AddrPort
	for _, a := range addrs {
		ats = append(ats, netip.AddrPortFrom(a, port))
	}
	return w.askEach(ats, w.within)
}

func (w *walk) askEach(ats []netip.AddrPort, bound func() (context.Context, context.CancelFunc)) []answer {
	all := make([]answer, len(ats))
	ctx, cancel := bound()
	defer cancel()
	soon, cancelSoon := w.soon()
	defer cancelSoon()
	var group sync.WaitGroup
	for i, at := range ats {
		ctx := ctx
		if at.Addr().IsLoopback() && !w.d.mine(at.Addr()) {
			ctx = soon // no node waits for it
		}
		group.Go(func() {
			all[i] = w.asked.get(at, func() answer { return w.ask(ctx, at) })
		})
	}
	group.Wait()
	return all
}

// differ says whether two addresses are those of two EPMDs. That lists differ may come
// of a registration in between: then the first one has changed, too.
func (w *walk) differ(a, b netip.AddrPort) bool {
	ctx, cancel := w.within()
	defer cancel()
	const tries = 3
	for range tries {
		first, other, again := w.ask(ctx, a), w.ask(ctx, b), w.ask(ctx, a)
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

// lookup asks an EPMD for a name.
func (w *walk) lookup(ctx context.Context, at netip.AddrPort, name string) (wire.Node, error) {
	var reached reach
	return w.client(at, &reached).Lookup(ctx, name)
}

// has says which of several EPMDs know a name; they are asked at once.
func (w *walk) has(ats []netip.AddrPort, name string) []netip.AddrPort {
	ctx, cancel := w.within()
	defer cancel()
	known := make([]bool, len(ats))
	var group sync.WaitGroup
	for i, at := range ats {
		group.Go(func() {
			_, err := w.lookup(ctx, at, name)
			known[i] = err == nil
		})
	}
	group.Wait()
	var out []netip.AddrPort
	for i, at := range ats {
		if known[i] {
			out = append(out, at)
		}
	}
	return out
}

// nodes writes the names of a list.
func nodes(all []epmd.NamePort) string {
	if len(all) == 0 {
		return "no node at all"
	}
	var names []string
	for _, n := range all {
		names = append(names, n.Name)
	}
	return list(names)
}
