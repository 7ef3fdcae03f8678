package epmd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/wire"
)

// The shape of a history: so many rounds, each with a server of its own, on TCP and
// on a Unix socket in turn.
const (
	rounds     = 20
	clients    = 6
	operations = 40
	names      = 3
)

// input and output are one operation on a name, as the client saw it. Ports tell
// registrations apart: no two have the same, and 0 is none.
type input struct {
	kind, name string
	port       uint16 // what is registered, or whose connection is closed
}

type output struct {
	ok       bool   // registered, or known to a STOP_REQ
	lost     bool   // registered, and stopped before the answer was sent
	port     uint16 // what was found
	creation uint32
}

// holder is the state of a name: whose it is, and the creation of the last who had
// it, 0 if that is not known.
type holder struct {
	port     uint16
	creation uint32
}

// oneName is the sequential rule for one name. Names do not touch each other: too few
// are remembered for one to take over another's record.
func oneName() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			byName := make(map[string][]porcupine.Operation)
			for _, op := range history {
				name := op.Input.(input).name
				byName[name] = append(byName[name], op)
			}
			return slices.Collect(maps.Values(byName))
		},
		Init: func() any { return holder{} },
		Step: func(state, in, out any) (bool, any) {
			h, i, o := state.(holder), in.(input), out.(output)
			switch i.kind {
			case "register":
				switch next := h.creation + 1; {
				case !o.ok && !o.lost:
					return h.port != 0, h
				case o.lost && h.creation == 0:
					return h.port == 0, holder{i.port, 0} // nobody knows
				case o.lost:
					return h.port == 0, holder{i.port, next}
				default:
					return h.port == 0 && (h.creation == 0 || o.creation == next), holder{i.port, o.creation}
				}
			case "lookup":
				return h.port == o.port, h
			case "stop":
				return o.ok == (h.port != 0), holder{0, h.creation}
			case "close":
				if h.port == i.port {
					h.port = 0
				}
				return true, h
			}
			return false, h
		},
		DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
	}
}

// history is what the clients of one round saw.
type history struct {
	begun time.Time
	ports atomic.Uint32

	mu  sync.Mutex
	ops []porcupine.Operation
}

// do records an operation from before its call to after its return.
func (h *history) do(client int, in input, f func() (output, error)) (output, error) {
	call := time.Since(h.begun)
	out, err := f()
	op := porcupine.Operation{ClientId: client, Input: in, Call: int64(call), Output: out, Return: int64(time.Since(h.begun))}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, op)
	return out, err
}

// lease is a registration and its connection.
type lease struct {
	name     string
	port     uint16
	creation uint32
	conn     net.Conn
	closed   chan struct{} // by the server
}

// open says whether the server has left the connection open, as far as is known.
func (l *lease) open() bool {
	select {
	case <-l.closed:
		return false
	default:
		return true
	}
}

// actor is one client. It holds any number of names.
type actor struct {
	id      int
	r       *rand.Rand
	dial    dialer
	client  *epmd.Client
	history *history
	leases  []*lease
}

type dialer func(ctx context.Context) (net.Conn, error)

// serve starts a server for one round, and says how to connect to it.
func serve(t *testing.T, engine epmd.Engine, network string) (*running, dialer, *epmd.Client) {
	t.Helper()
	ln := listener(t)
	if network == "unix" {
		require.NoError(t, ln.Close())
		ln = listenUnix(t)
	}
	s := runOn(t, &epmd.Server{Engine: engine, RelaxedCommandCheck: true}, ln)
	dial := func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.addr)
	}
	return s, dial, &epmd.Client{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := dial(ctx)
		if tcp, ok := c.(*net.TCPConn); ok {
			// So many connections would use up what the system has for ended ones.
			err = errors.Join(err, tcp.SetLinger(0))
		}
		return c, err
	}}
}

func (a *actor) act(ctx context.Context) error {
	name := strconv.Itoa(a.r.Intn(names))
	switch n := a.r.Intn(10); {
	case n < 3:
		return a.register(ctx, name)
	case n < 6 && len(a.leases) > 0:
		at := a.r.Intn(len(a.leases))
		l := a.leases[at]
		a.leases = slices.Delete(a.leases, at, at+1)
		return a.end(ctx, l)
	case n < 7:
		return a.stop(ctx, name)
	}
	return a.lookup(ctx, name)
}

func (a *actor) register(ctx context.Context, name string) error {
	l := &lease{name: name, port: uint16(a.history.ports.Add(1)), closed: make(chan struct{})}
	out, err := a.history.do(a.id, input{"register", name, l.port}, func() (out output, err error) {
		out.ok, out.creation, err = l.register(ctx, a.dial)
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
			// Every well-formed request is answered, but that a STOP_REQ of another
			// client may come before the answer. The history has to bear that out.
			return output{lost: true}, nil
		}
		return out, err
	})
	if err != nil {
		return fmt.Errorf("register %s: %w", name, err)
	}
	if !out.ok {
		return l.conn.Close() // nothing was registered, so its end changes nothing
	}
	l.creation = out.creation
	go l.watch()
	a.leases = append(a.leases, l)
	return nil
}

func (l *lease) register(ctx context.Context, dial dialer) (ok bool, creation uint32, err error) {
	packet, err := node(l.name, l.port).AppendAlive2Req(nil)
	if err != nil {
		return false, 0, err
	}
	l.conn, err = dial(ctx)
	if err != nil {
		return false, 0, err
	}
	if err := l.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return false, 0, err
	}
	if _, err := l.conn.Write(packet); err != nil {
		return false, 0, err
	}
	var reply [6]byte
	if _, err := io.ReadFull(l.conn, reply[:]); err != nil {
		return false, 0, err
	}
	resp, _, err := wire.ParseAlive2Resp(reply[:])
	return resp.Result == 0, resp.Creation, err
}

// watch waits until the server closes the connection.
func (l *lease) watch() {
	_, _ = io.Copy(io.Discard, l.conn) // any end is an end
	close(l.closed)
}

// end ends a registration in one of three ways. A client cannot know when the server
// notices, but it can know that it has: once the server has closed its side, or
// does not find this registration any more. The operation returns no sooner.
func (a *actor) end(ctx context.Context, l *lease) error {
	_, err := a.history.do(a.id, input{"close", l.name, l.port}, func() (output, error) {
		how := a.r.Intn(3)
		switch how {
		case 0:
			_ = l.conn.(interface{ CloseWrite() error }).CloseWrite() // fails if the name was stopped
		case 1:
			_, _ = l.conn.Write([]byte("x")) // likewise
		case 2:
			return output{}, a.vanish(ctx, l)
		}
		select {
		case <-l.closed:
			return output{}, l.conn.Close()
		case <-ctx.Done():
			return output{}, ctx.Err()
		}
	})
	if err != nil {
		return fmt.Errorf("close %s: %w", l.name, err)
	}
	return nil
}

// vanish closes the connection without a look at what the server does, and then
// looks its name up until another or none is found.
func (a *actor) vanish(ctx context.Context, l *lease) error {
	if err := l.conn.Close(); err != nil {
		return err
	}
	for {
		out, err := a.find(ctx, l.name)
		if err != nil || out.port != l.port {
			return err
		}
	}
}

func (a *actor) lookup(ctx context.Context, name string) error {
	_, err := a.find(ctx, name)
	return err
}

func (a *actor) find(ctx context.Context, name string) (output, error) {
	return a.history.do(a.id, input{kind: "lookup", name: name}, func() (output, error) {
		n, err := a.client.Lookup(ctx, name)
		if errors.Is(err, epmd.ErrNotFound) {
			return output{}, nil
		}
		return output{port: n.Port}, err
	})
}

func (a *actor) stop(ctx context.Context, name string) error {
	_, err := a.history.do(a.id, input{kind: "stop", name: name}, func() (output, error) {
		err := a.client.Stop(ctx, name)
		if errors.Is(err, epmd.ErrNotFound) {
			return output{}, nil
		}
		return output{ok: err == nil}, err
	})
	return err
}

// held is a registration as both sides know it.
type held struct {
	name     string
	port     uint16
	creation uint32
}

// TestPropLinearizable lets many clients register, look up, stop and leave at once:
// what they saw could have happened one after the other, and in the end exactly those
// are registered whose connections are open.
func TestPropLinearizable(t *testing.T) { onEngines(t, testPropLinearizable) }

func testPropLinearizable(t *testing.T, engine epmd.Engine) {
	seed := property.Seed(t)
	seen := make(map[string]int)
	networks := []string{"tcp", "unix"}
	if !hasUnix(t) {
		networks = networks[:1]
	}
	for round := range rounds {
		h := &history{begun: time.Now()}
		s, dial, client := serve(t, engine, networks[round%len(networks)])
		actors := make([]*actor, clients)
		faults := make([]error, clients)
		var wg sync.WaitGroup
		c := ctx(t)
		for i := range actors {
			a := &actor{id: i, r: rand.New(rand.NewSource(seed + int64(round*clients+i))), dial: dial, client: client, history: h}
			actors[i] = a
			wg.Go(func() {
				for range operations {
					if faults[i] = a.act(c); faults[i] != nil {
						return
					}
				}
			})
		}
		wg.Wait()
		require.NoError(t, errors.Join(faults...))
		requireLinearizable(t, h.ops)
		for _, op := range h.ops {
			out := op.Output.(output)
			seen[fmt.Sprintf("%s %v", op.Input.(input).kind, out.ok || out.port != 0)]++
			if out.lost {
				seen["lost"]++
			}
		}
		requireHeld(t, s, actors)
		require.NoError(t, s.Close())
		for _, a := range actors {
			for _, l := range a.leases {
				<-l.closed
				_ = l.conn.Close() // the server has closed it
			}
		}
	}
	t.Logf("seen: %v", seen)
	for _, what := range []string{"register true", "register false", "lookup true", "lookup false", "stop true", "stop false", "close false"} {
		require.Greater(t, seen[what], rounds, "%s", what)
	}
}

func requireLinearizable(t *testing.T, ops []porcupine.Operation) {
	t.Helper()
	m := oneName()
	if porcupine.CheckOperationsTimeout(m, ops, patience) == porcupine.Ok {
		return
	}
	slices.SortFunc(ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	for _, op := range ops {
		t.Logf("%9d to %9d ns, client %d: %s", op.Call, op.Return, op.ClientId, m.DescribeOperation(op.Input, op.Output))
	}
	require.Fail(t, "no order of these operations explains what the clients saw")
}

// requireHeld wants the registry to hold what the open connections hold. That a
// connection was closed for a STOP_REQ, its client may learn a moment later.
func requireHeld(t *testing.T, s *running, actors []*actor) {
	t.Helper()
	byName := func(a, b held) int { return int(a.port) - int(b.port) }
	var want, got []held
	require.Eventually(t, func() bool {
		want, got = nil, nil
		for _, a := range actors {
			for _, l := range a.leases {
				if l.open() {
					want = append(want, held{l.name, l.port, l.creation})
				}
			}
		}
		for _, e := range s.View().Snapshot().Nodes {
			got = append(got, held{e.Node.Name, e.Node.Port, e.Creation})
		}
		slices.SortFunc(want, byName)
		slices.SortFunc(got, byName)
		return slices.Equal(want, got) && s.Stats().Registered == len(want)
	}, patience, tick, "%s", lazily(func() string { return fmt.Sprintf("open %v, registered %v", want, got) }))
}

// lazily is a text that is made when it is printed.
type lazily func() string

func (l lazily) String() string { return l() }
