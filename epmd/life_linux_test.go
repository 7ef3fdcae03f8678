package epmd_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/fuzz/property"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// lifeRoundsEnv says how many rounds of TestLife each engine plays.
const lifeRoundsEnv = "GOEPMD_LIFE_ROUNDS"

// TestLife does everything that can be done with a server, at once and in random order:
// begin and end in all ways, hand over to another, register, look, and ask from hooks.
// Nothing may panic, be stuck, or be left open, and each registration is listed until its
// connection or its server ends.
func TestLife(t *testing.T) {
	rounds := 100
	if text := os.Getenv(lifeRoundsEnv); text != "" {
		var err error
		rounds, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	seed := property.Seed(t)
	for _, engine := range []epmd.Engine{epmd.EngineEpoll, epmd.EnginePortable, epmd.EngineAuto} {
		t.Run(engine.String(), func(t *testing.T) {
			assert.NoError(t, listener(t).Close()) // so that Go's own descriptors are there
			leaks := goleak.IgnoreCurrent()
			open := openFiles(t)
			var total lifeCounts
			for i := range rounds {
				l := &life{T: t, engine: engine, seed: seed + int64(i), counts: &total}
				l.play()
				goleak.VerifyNone(t, leaks)
				require.LessOrEqual(t, openFiles(t), open, "seed %d: descriptors are left", l.seed)
				if t.Failed() {
					t.Fatalf("round %d: to repeat it: GOEPMD_SEED=%d", i, l.seed)
				}
			}
			t.Logf("%d rounds: %v", rounds, &total)
		})
	}
}

// lifeBound is how long one round may take.
const lifeBound = 3 * patience

// lifeCounts tell that the rounds did what they were meant to.
type lifeCounts struct {
	registered, kept, restored, local, handed, served, failed, ended atomic.Int64
}

func (c *lifeCounts) String() string {
	return fmt.Sprintf("%d nodes registered over connections, %d of them held to the end, %d restored, %d of the program's own; %d hand-overs; %d more Serves, %d that failed; %d ends under way",
		c.registered.Load(), c.kept.Load(), c.restored.Load(), c.local.Load(), c.handed.Load(), c.served.Load(), c.failed.Load(), c.ended.Load())
}

// life is one round.
type life struct {
	*testing.T
	engine epmd.Engine
	seed   int64
	counts *lifeCounts

	servers [2]lifeServer // the second may take over from the first
	base    net.Listener  // the first one's, which does not fail
	asked   atomic.Int64  // how often a hook has done something
	serves  sync.WaitGroup
	names   atomic.Int64 // how many were made up

	mu      sync.Mutex
	nodes   []*lifeNode
	refused []lifeRefusal
}

// lifeRefusal is what went wrong, as it may only with a server that is asked to end.
type lifeRefusal struct {
	server int
	own    bool // or that has handed over
	what   string
}

type lifeServer struct {
	*epmd.Server
	ends   atomic.Bool // it was asked to end
	handed atomic.Bool // it has handed over
}

// lifeNode is a registration that was confirmed.
type lifeNode struct {
	name   string
	port   uint16
	server int      // whose listener it came through
	conn   net.Conn // nil of a local one
	gone   bool     // its connection was closed, or it was released
}

// play plays a round.
func (l *life) play() {
	r := rand.New(rand.NewPCG(uint64(l.seed), 0))
	for i := range l.servers {
		l.servers[i].Server = l.server(r, i)
	}
	l.base = listener(l.T)
	ours, theirs := pair(l.T)
	work := [][]func(*rand.Rand){{func(*rand.Rand) { l.serve(0, l.base) }}}
	handing, ends := r.IntN(2) == 0, r.IntN(2) == 0
	if handing {
		work = append(work, l.handOver(ours, theirs)...)
	}
	for range 4 + r.IntN(8) {
		var ops []func(*rand.Rand)
		for range 1 + r.IntN(5) {
			i := 0
			if r.IntN(4) == 0 && (!handing || r.IntN(8) == 0) { // who is used does not resume
				i = 1
			}
			ops = append(ops, l.operation(i, r, ends))
		}
		work = append(work, ops)
	}
	begin := make(chan struct{})
	var workers sync.WaitGroup
	for _, ops := range work {
		own := rand.New(rand.NewPCG(r.Uint64(), 1))
		workers.Go(func() {
			<-begin
			for _, op := range ops {
				op(own)
			}
		})
	}
	close(begin)
	l.wait("what was begun", workers.Wait)
	l.check()
	for i := range l.servers {
		l.servers[i].ends.Store(true)
		l.wait("Close", func() { assert.NoError(l, l.servers[i].Close()) })
	}
	l.wait("Serve", l.serves.Wait)
	l.checkEnd()
	_, _ = ours.Close(), theirs.Close() // a hand-over has done so already
}

// wait waits for something that must not take long.
func (l *life) wait(what string, f func()) {
	l.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(lifeBound):
		stacks := make([]byte, 1<<20)
		l.Fatalf("GOEPMD_SEED=%d: %s is stuck:\n%s", l.seed, what, stacks[:runtime.Stack(stacks, true)])
	}
}

// server makes one with hooks that do, every now and then, what they may.
func (l *life) server(r *rand.Rand, i int) *epmd.Server {
	s := &epmd.Server{Engine: l.engine, RelaxedCommandCheck: true, MultiTransport: r.IntN(2) == 0, ConnsKept: r.IntN(4) == 0}
	switch r.IntN(8) {
	case 0:
		s.ExitIdle = time.Hour
	case 1:
		s.ExitIdle = time.Millisecond
		l.servers[i].ends.Store(true)
	}
	hook := func(c epmd.Conn) {
		n := uint64(l.asked.Add(1))
		l.look(s, rand.New(rand.NewPCG(uint64(l.seed), n)), c.Owner)
	}
	s.OnRequest = func(r epmd.Request) { hook(r.Conn) }
	s.ConnState = func(c epmd.Conn, _ epmd.ConnState) { hook(c) }
	s.Allow = func(c epmd.Conn, _ wire.Tag) bool { hook(c); return true }
	s.AdmitNode = func(c epmd.Conn, _ wire.Node) error { hook(c); return nil }
	s.Resolve = func(string) (wire.Node, bool) { hook(epmd.Conn{}); return wire.Node{}, false }
	s.HandleUnknown = func(c epmd.Conn, _, reply []byte) ([]byte, bool) { hook(c); return append(reply, '!'), true }
	s.OnEvent = func(registry.Event, registry.Inside) { l.asked.Add(1) }
	return s
}

// look does one of those things with a server that a hook may do too.
func (l *life) look(s *epmd.Server, r *rand.Rand, o registry.Owner) {
	switch r.IntN(12) {
	case 0:
		_ = s.Stats()
	case 1:
		_ = s.Addrs()
	case 2:
		_ = s.View().Snapshot()
	case 3:
		sub, _ := s.View().Subscribe(1)
		sub.Close()
	case 4:
		if f, err := s.File(o); err == nil && f != nil {
			assert.NoError(l, f.Close())
		}
	case 5:
		s.Unregister(l.victim(r))
	case 6:
		if _, release, err := s.RegisterLocal(node(l.name("hook"), 1)); err == nil {
			release()
			release()
		}
	}
}

// name makes up a name that nobody has.
func (l *life) name(kind string) string { return fmt.Sprintf("%s%d", kind, l.names.Add(1)) }

// victim is a name that may be unregistered.
func (l *life) victim(r *rand.Rand) string { return "victim" + strconv.Itoa(r.IntN(4)) }

// operation chooses something to do with a server.
func (l *life) operation(i int, r *rand.Rand, ends bool) func(*rand.Rand) {
	s := &l.servers[i]
	if ends && r.IntN(12) == 0 {
		return func(r *rand.Rand) { l.end(s, r) }
	}
	switch r.IntN(10) {
	case 0:
		return func(r *rand.Rand) { l.restore(i, r) }
	case 1:
		return func(r *rand.Rand) { l.serveMore(i, r) }
	case 2:
		return func(r *rand.Rand) { l.registerLocal(i) }
	case 3:
		return func(r *rand.Rand) { l.registerVictim(r) }
	case 4:
		return func(r *rand.Rand) { l.ask(s, r) }
	case 5, 6:
		return func(r *rand.Rand) { l.look(s.Server, r, registry.Owner(r.IntN(20))) }
	default:
		return func(r *rand.Rand) { l.register(0, l.base.Addr().String(), r) }
	}
}

// serve has a server serve until it ends, or the Serve fails.
func (l *life) serve(i int, lns ...net.Listener) {
	s := &l.servers[i]
	l.serves.Go(func() {
		err := s.Serve(lns...)
		switch {
		case errors.Is(err, epmd.ErrServerClosed), errors.Is(err, epmd.ErrKilled), errors.Is(err, epmd.ErrIdle),
			slices.Contains(lns, l.base) && !errors.Is(err, epmd.ErrHandedOver):
			l.refuse(i, false, "Serve", err)
		case errors.Is(err, epmd.ErrHandedOver):
			assert.True(l, s.handed.Load())
		default:
			l.counts.failed.Add(1)
		}
		for _, ln := range lns {
			if p, ok := ln.(*passingListener); ok {
				ln = p.Listener
			}
			_, err := ln.Accept()
			assert.ErrorIs(l, err, net.ErrClosed)
		}
	})
}

// servesBase says whether the first server serves its own listener.
func (l *life) servesBase() bool {
	return slices.ContainsFunc(l.servers[0].Addrs(), func(a net.Addr) bool { return a.String() == l.base.Addr().String() })
}

// passingListener is not of the system's own kinds, and fails now and then.
type passingListener struct {
	net.Listener
	n atomic.Int64
}

func (p *passingListener) Accept() (net.Conn, error) {
	if p.n.Add(1)%3 == 1 {
		return nil, temporary{io.ErrUnexpectedEOF}
	}
	return p.Listener.Accept()
}

// serveMore serves more listeners, of which some fail at once, or later.
func (l *life) serveMore(i int, r *rand.Rand) {
	l.counts.served.Add(1)
	ln := listener(l.T)
	switch r.IntN(6) {
	case 0:
		l.serve(i, closedListener(l.T))
		assert.NoError(l, ln.Close())
	case 1:
		l.serve(i, ln, closedListener(l.T))
	case 2:
		l.serve(i, &passingListener{Listener: ln})
	case 3:
		f, err := ln.(*net.TCPListener).File()
		assert.NoError(l, err)
		if i == 1 || !l.servesBase() { // it may be the last one
			l.servers[i].ends.Store(true)
		}
		l.serve(i, ln)
		assert.NoError(l, unix.Shutdown(int(f.Fd()), unix.SHUT_RDWR))
		assert.NoError(l, f.Close())
	default:
		l.serve(i, ln)
		l.register(i, ln.Addr().String(), r)
	}
}

// dial connects; nil if nobody listens any more.
func (l *life) dial(addr string) net.Conn {
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil
	}
	assert.NoError(l, c.SetDeadline(time.Now().Add(lifeBound)))
	return c
}

// tell registers a node over a connection.
func tell(c net.Conn, n wire.Node) error {
	packet, err := n.AppendAlive2Req(nil)
	if err != nil {
		return err
	}
	if _, err := c.Write(packet); err != nil {
		return err
	}
	var answer [6]byte
	if _, err = io.ReadFull(c, answer[:]); err == nil && answer[1] != 0 {
		err = errors.New("refused")
	}
	return err
}

// register registers a node and leaves the connection open, or closes it.
func (l *life) register(i int, addr string, r *rand.Rand) {
	n := &lifeNode{name: l.name("node"), port: uint16(l.names.Add(1)), server: i}
	defer l.add(n)
	var err error
	if n.conn, err = net.DialTimeout("tcp", addr, patience); err == nil {
		assert.NoError(l, n.conn.SetDeadline(time.Now().Add(lifeBound)))
		err = tell(n.conn, node(n.name, n.port))
	}
	if err == nil {
		l.counts.registered.Add(1)
	} else {
		l.refuse(i, addr != l.base.Addr().String(), n.name, err)
	}
	if n.gone = err != nil || r.IntN(4) == 0; n.gone && n.conn != nil {
		assert.NoError(l, n.conn.Close())
	}
}

func (l *life) add(n *lifeNode) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nodes = append(l.nodes, n)
}

// refuse notes that a server did not do something.
func (l *life) refuse(i int, own bool, what string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = append(l.refused, lifeRefusal{i, own, fmt.Sprintf("%s: %v", what, err)})
}

// registerLocal registers a node of the program's own.
func (l *life) registerLocal(i int) {
	n := &lifeNode{name: l.name("local"), server: i, port: 1}
	_, release, err := l.servers[i].RegisterLocal(node(n.name, n.port))
	if err != nil {
		l.refuse(i, true, n.name, err)
		return
	}
	l.counts.local.Add(1)
	l.add(n)
	if n.gone = l.names.Add(1)%2 == 0; n.gone {
		release()
	}
}

// registerVictim registers a name that others may end, in whatever way.
func (l *life) registerVictim(r *rand.Rand) {
	name := l.victim(r)
	if c := l.dial(l.base.Addr().String()); c != nil {
		tell(c, node(name, 1)) // it may be taken
		if r.IntN(2) == 0 {
			_ = l.client().Stop(ctx(l.T), name) // nobody may have it
		}
		assert.NoError(l, c.Close())
	}
}

func (l *life) client() *epmd.Client { return &epmd.Client{Addr: l.base.Addr().String()} }

// ask makes a request, or asks a server for what it waits for.
func (l *life) ask(s *lifeServer, r *rand.Rand) {
	within, cancel := context.WithTimeout(context.Background(), time.Duration(r.Int64N(int64(patience))))
	defer cancel()
	switch r.IntN(5) {
	case 0:
		_ = s.Check(within) // it may have ended
	case 1:
		_, _ = s.Remotes(within, 1, 2, 3)
	case 2:
		_, _ = l.client().Names(within)
	case 3:
		_, _ = l.client().Lookup(within, l.victim(r))
	case 4:
		if c := l.dial(l.base.Addr().String()); c != nil {
			_, _ = c.Write([]byte("\x00\x02\xf0?")) // a tag that no dialect knows
			_, _ = io.ReadAll(c)
			assert.NoError(l, c.Close())
		}
	}
}

// end ends a server in one of the ways.
func (l *life) end(s *lifeServer, r *rand.Rand) {
	time.Sleep(time.Duration(r.IntN(int(3 * time.Millisecond)))) // in the midst of it all
	l.counts.ended.Add(1)
	switch r.IntN(3) {
	case 0:
		s.ends.Store(true)
		assert.NoError(l, s.Close())
	case 1:
		s.ends.Store(true)
		within, cancel := context.WithTimeout(context.Background(), time.Duration(r.IntN(int(time.Second))))
		defer cancel()
		_ = s.Shutdown(within) // it may cut somebody short
	case 2: // whoever has the listener
		l.servers[0].ends.Store(true)
		l.servers[1].ends.Store(true)
		_ = l.client().Kill(ctx(l.T)) // it may have ended
	}
}

// handOver has the first server hand over to the second, which may be in use already.
func (l *life) handOver(ours, theirs *net.UnixConn) [][]func(*rand.Rand) {
	pause := func(r *rand.Rand) { time.Sleep(time.Duration(r.IntN(int(3 * time.Millisecond)))) }
	within := ctx(l.T)
	from, to := &l.servers[0], &l.servers[1]
	return [][]func(*rand.Rand){
		{pause, func(*rand.Rand) {
			assert.Eventually(l, func() bool { return l.servesBase() || from.ends.Load() }, lifeBound, tick)
			from.handed.Store(true) // before anybody can see it
			err := from.Handoff(within, ours)
			if err == nil {
				l.counts.handed.Add(1)
				return
			}
			from.handed.Store(false)
			assert.ErrorIs(l, err, epmd.ErrHandoff)
		}},
		{pause, func(*rand.Rand) {
			err := to.Resume(within, theirs)
			switch {
			case err == nil:
			case errors.Is(err, registry.ErrUsed) && strings.Contains(err.Error(), "in use already"):
				assert.ErrorIs(l, err, epmd.ErrHandoff)
			default:
				assert.ErrorIs(l, err, epmd.ErrHandoff)
				to.ends.Store(true) // it cannot be used any more
			}
			l.serve(1)
		}},
	}
}

// restore gives a server two nodes of another one, which did not end well.
func (l *life) restore(i int, r *rand.Rand) {
	// Not where somebody may look for a server that has ended.
	ln, err := net.Listen("tcp", "127.0.0.2:0")
	assert.NoError(l, err)
	defer ln.Close()
	left := epmd.Held{Conns: make(map[registry.Owner]*os.File)}
	names := registry.New(registry.Config{})
	var nodes []*lifeNode
	for o := range registry.Owner(2) {
		c := l.dial(ln.Addr().String())
		accepted, err := ln.Accept()
		assert.NoError(l, err)
		f, err := accepted.(*net.TCPConn).File()
		assert.NoError(l, err)
		assert.NoError(l, accepted.Close())
		n := &lifeNode{name: l.name("restored"), port: uint16(l.names.Add(1)), server: i, conn: c}
		_, err = names.Register(o+1, node(n.name, n.port))
		assert.NoError(l, err)
		left.Conns[o+1] = f
		nodes = append(nodes, n)
	}
	left.Names = names.Snapshot()
	if err = l.servers[i].Restore(left); err == nil {
		l.counts.restored.Add(2)
	} else {
		assert.True(l, errors.Is(err, registry.ErrUsed) || errors.Is(err, epmd.ErrServerClosed), "%v", err)
	}
	for _, n := range nodes {
		if err != nil {
			requireClosed(l, n.conn)
			assert.NoError(l, n.conn.Close())
			n.gone = true
		}
		l.add(n)
	}
}

// holder is the server that has a node now.
func (l *life) holder(n *lifeNode) *lifeServer {
	if n.server == 0 && l.servers[0].handed.Load() {
		return &l.servers[1]
	}
	return &l.servers[n.server]
}

// check looks, once all is quiet, whether each registration is where it should be.
func (l *life) check() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.refused {
		if r.own && l.servers[r.server].handed.Load() {
			continue
		}
		asked := l.servers[r.server].ends.Load() || l.holder(&lifeNode{server: r.server}).ends.Load()
		assert.True(l, asked, "GOEPMD_SEED=%d: nobody asked server %d to end: %s", l.seed, r.server, r.what)
	}
	for _, n := range l.nodes {
		s := l.holder(n)
		if s.ends.Load() {
			continue
		}
		listed := func() bool {
			e, ok := s.View().Entry(n.name)
			return ok && e.Node.Port == n.port
		}
		if n.gone || n.conn == nil && s != &l.servers[n.server] { // a local one is not handed over
			assert.Eventually(l, func() bool { return !listed() }, patience, tick, "GOEPMD_SEED=%d: %s is listed for ever", l.seed, n.name)
			continue
		}
		assert.True(l, listed(), "GOEPMD_SEED=%d: %s of server %d is lost", l.seed, n.name, n.server)
		if n.conn == nil {
			continue
		}
		l.counts.kept.Add(1)
		assert.NoError(l, n.conn.SetReadDeadline(time.Now().Add(time.Millisecond)))
		_, err := n.conn.Read(make([]byte, 1))
		assert.ErrorIs(l, err, os.ErrDeadlineExceeded, "GOEPMD_SEED=%d: the connection of %s is closed", l.seed, n.name)
		assert.NoError(l, n.conn.SetReadDeadline(time.Now().Add(lifeBound)))
	}
}

// checkEnd looks, once the servers have ended, whether all has ended with them.
func (l *life) checkEnd() {
	for _, n := range l.nodes {
		if n.conn != nil && !n.gone {
			assert.Empty(l, requireClosed(l, n.conn))
			assert.NoError(l, n.conn.Close())
		}
	}
	for i := range l.servers {
		s := &l.servers[i]
		assert.Zero(l, s.Stats().HookPanics)
		assert.Zero(l, s.Stats().Conns)
		assert.Empty(l, s.Addrs())
		if i == 1 || !s.handed.Load() {
			assert.Zero(l, s.View().Len(), "GOEPMD_SEED=%d: server %d lists nodes that nobody serves", l.seed, i)
		}
	}
}
