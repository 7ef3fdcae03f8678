package epmd_test

import (
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// local registers a node of the server's program.
func local(tb testing.TB, s *epmd.Server, name string) (creation uint32, release func()) {
	tb.Helper()
	creation, release, err := s.RegisterLocal(node(name, 4711))
	require.NoError(tb, err)
	return creation, release
}

// TestRegisterLocal: a node of the program itself is like any other, from before Serve on
// until it is released.
func TestRegisterLocal(t *testing.T) { onEngines(t, testRegisterLocal) }

func testRegisterLocal(t *testing.T, engine epmd.Engine) {
	server := &epmd.Server{Engine: engine}
	sub, _ := server.View().Subscribe(8)
	creation, release := local(t, server, "mine")
	s := run(t, server)
	e := <-sub.C
	require.Equal(t, registry.Registered, e.Kind)
	require.Equal(t, node("mine", 4711), e.Node)
	require.Equal(t, creation, e.Creation)

	found, err := s.client().Lookup(ctx(t), "mine")
	require.NoError(t, err)
	require.Equal(t, node("mine", 4711), found)
	names, err := s.client().Names(ctx(t))
	require.NoError(t, err)
	require.Equal(t, []epmd.NamePort{{Name: "mine", Port: 4711}}, names.Nodes)
	dump, err := s.client().Dump(ctx(t))
	require.NoError(t, err)
	require.Contains(t, dump.Text, "active name     <mine> at port 4711, fd = 0\n\x00")
	entry, registered := s.View().Entry("mine")
	require.True(t, registered)
	require.Equal(t, creation, entry.Creation)
	require.Equal(t, e.Owner, entry.Owner)
	require.GreaterOrEqual(t, entry.Owner, registry.LocalOwners, "no connection has such a number")
	f, err := s.File(entry.Owner)
	require.NoError(t, err)
	require.Nil(t, f)
	from, err := s.Remotes(ctx(t), entry.Owner)
	require.NoError(t, err)
	require.Empty(t, from)
	require.Zero(t, s.Stats().Registered)
	require.Equal(t, 1, s.Stats().Registry.Nodes)

	_, answer := s.register(t, "mine")
	require.EqualValues(t, 1, answer.Result, "it is taken")
	require.Equal(t, registry.Refused, (<-sub.C).Kind)
	_, _, err = s.RegisterLocal(node("mine", 1))
	require.ErrorIs(t, err, registry.RefusedTaken)
	require.ErrorContains(t, err, `"mine"`)
	require.Equal(t, registry.Refused, (<-sub.C).Kind)

	release()
	e = <-sub.C
	require.Equal(t, registry.Unregistered, e.Kind)
	require.Equal(t, registry.ReasonClosed, e.Reason)
	_, err = s.client().Lookup(ctx(t), "mine")
	require.ErrorIs(t, err, epmd.ErrNotFound)

	held, answer := s.register(t, "mine")
	require.Zero(t, answer.Result)
	require.Equal(t, creation+1, answer.Creation)
	release()
	require.Equal(t, []string{"mine"}, s.names(), "it is another's now")
	_, _, err = s.RegisterLocal(node("mine", 1))
	require.ErrorIs(t, err, registry.RefusedTaken)
	require.NoError(t, held.Close())
	require.Eventually(t, func() bool { return s.View().Len() == 0 }, patience, tick)
	again, releaseAgain := local(t, s.Server, "mine")
	require.Equal(t, creation+2, again)
	release()
	require.Equal(t, []string{"mine"}, s.names(), "it is another's now")
	releaseAgain()
	require.Empty(t, s.names())
}

// TestLocalIsStopped: a node of the program ends by force as others do.
func TestLocalIsStopped(t *testing.T) { onEngines(t, testLocalIsStopped) }

func testLocalIsStopped(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, RelaxedCommandCheck: true})
	for _, stop := range []func(){
		func() { require.NoError(t, s.client().Stop(ctx(t), "mine")) },
		func() { require.True(t, s.Unregister("mine")) },
	} {
		_, release := local(t, s.Server, "mine")
		sub, _ := s.View().Subscribe(1)
		stop()
		require.Equal(t, registry.ReasonStopped, (<-sub.C).Reason)
		sub.Close()
		c, answer := s.register(t, "mine")
		require.Zero(t, answer.Result)
		release()
		require.Equal(t, []string{"mine"}, s.names())
		require.NoError(t, c.Close())
		require.Eventually(t, func() bool { return s.View().Len() == 0 }, patience, tick)
	}
	require.False(t, s.Unregister("mine"))
}

// TestLocalHoldsTheServer: a KILL_REQ and ExitIdle see a node of the program, and the
// server has ended for it when it has for others.
func TestLocalHoldsTheServer(t *testing.T) { onEngines(t, testLocalHoldsTheServer) }

func testLocalHoldsTheServer(t *testing.T, engine epmd.Engine) {
	server := &epmd.Server{Engine: engine, ExitIdle: soon}
	_, release := local(t, server, "mine")
	s := run(t, server)
	require.ErrorIs(t, s.client().Kill(ctx(t)), epmd.ErrNotAllowed)
	s.requireRunsFor(t, 3*soon)
	release()
	require.ErrorIs(t, s.end(t), epmd.ErrIdle)
	_, _, err := s.RegisterLocal(node("mine", 1))
	require.ErrorIs(t, err, epmd.ErrServerClosed)

	s = run(t, &epmd.Server{Engine: engine})
	_, release = local(t, s.Server, "mine")
	require.ErrorIs(t, s.client().Kill(ctx(t)), epmd.ErrNotAllowed)
	release()
	require.NoError(t, s.client().Kill(ctx(t)))
	require.ErrorIs(t, s.end(t), epmd.ErrKilled)
}

// TestLocalEndsWithTheServer: however the server ends, its program's nodes end with it, and
// no more are registered.
func TestLocalEndsWithTheServer(t *testing.T) { onEngines(t, testLocalEndsWithTheServer) }

func testLocalEndsWithTheServer(t *testing.T, engine epmd.Engine) {
	for name, end := range map[string]func(*running){
		"Close":    func(s *running) { require.NoError(t, s.Close()) },
		"Shutdown": func(s *running) { require.NoError(t, s.Shutdown(ctx(t))) },
		"killed": func(s *running) {
			require.NoError(t, s.client().Kill(ctx(t)))
			require.ErrorIs(t, s.end(t), epmd.ErrKilled)
		},
	} {
		s := run(t, &epmd.Server{Engine: engine, RelaxedCommandCheck: true})
		requireLocalEnds(t, s.Server, func() { end(s) })
		require.Zero(t, s.View().Len(), name)
	}
	idle := &epmd.Server{Engine: engine}
	requireLocalEnds(t, idle, func() { require.NoError(t, idle.Close()) })
}

// requireLocalEnds sees that the end of a server ends what its program has registered, the
// oldest first.
func requireLocalEnds(t *testing.T, s *epmd.Server, end func()) {
	t.Helper()
	_, release := local(t, s, "a")
	_, _ = local(t, s, "b")
	sub, _ := s.View().Subscribe(2)
	defer sub.Close()
	end()
	for _, want := range []string{"a", "b"} {
		require.NotEmpty(t, sub.C)
		e := <-sub.C
		require.Equal(t, want, e.Node.Name)
		require.Equal(t, registry.ReasonShutdown, e.Reason)
	}
	creation, none, err := s.RegisterLocal(node("c", 1))
	require.ErrorIs(t, err, epmd.ErrServerClosed)
	require.Zero(t, creation)
	require.Nil(t, none)
	release()
	_, registered := s.View().Lookup("a")
	require.False(t, registered)
}

// TestLocalOutlivesServe: a Serve that fails ends nothing.
func TestLocalOutlivesServe(t *testing.T) { onEngines(t, testLocalOutlivesServe) }

func testLocalOutlivesServe(t *testing.T, engine epmd.Engine) {
	s := &epmd.Server{Engine: engine}
	local(t, s, "mine")
	closed := listener(t)
	require.NoError(t, closed.Close())
	require.ErrorIs(t, s.Serve(closed), net.ErrClosed)
	_, release := local(t, s, "second")
	r := run(t, s)
	_, err := r.client().Lookup(ctx(t), "mine")
	require.NoError(t, err)
	release()
	require.Equal(t, []string{"mine"}, r.names())
}

// TestLocalRefusals: what no node can be called is no local one either.
func TestLocalRefusals(t *testing.T) {
	s := new(epmd.Server)
	refuse := func(n wire.Node) error {
		creation, release, err := s.RegisterLocal(n)
		require.Error(t, err)
		require.Zero(t, creation)
		require.Nil(t, release)
		return err
	}
	with := node("mine", 1)
	with.Transport = "inet_tcp"
	require.ErrorContains(t, refuse(with), "inet_tcp")
	require.ErrorIs(t, refuse(node("", 1)), wire.FaultEmpty)
	require.ErrorIs(t, refuse(node("a\x00", 1)), wire.FaultNUL)
	require.ErrorIs(t, refuse(node(strings.Repeat("x", wire.MaxPacketLen), 1)), wire.FaultTooLong)
	require.ErrorIs(t, refuse(node(strings.Repeat("x", wire.MaxNameBytes+1), 1)), registry.RefusedNameBytes)
	require.ErrorIs(t, refuse(node(strings.Repeat("x", wire.MaxNameChars+1), 1)), registry.RefusedNameChars)
	require.ErrorIs(t, refuse(node("\xff", 1)), registry.RefusedNameUTF8)
	require.Zero(t, s.View().Len())
	require.NoError(t, s.Close())
}

// TestLocalWithTransports: a node of the program joins a name that has transports, as an
// ALIVE2_REQ does, and each goes with its own holder.
func TestLocalWithTransports(t *testing.T) { onEngines(t, testLocalWithTransports) }

func testLocalWithTransports(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine, MultiTransport: true})
	first := s.dial(t)
	require.Equal(t, []uint8{0}, exchange3(t, first, transport("s", "t1", 1)))
	_, release := local(t, s.Server, "s")
	_, _, err := s.RegisterLocal(node("s", 1))
	require.ErrorIs(t, err, registry.RefusedTaken)
	require.NoError(t, first.Close())
	require.Eventually(t, func() bool {
		e, _ := s.View().Entry("s")
		return len(e.Transports) == 1
	}, patience, tick)
	release()
	require.Zero(t, s.View().Len())
}

// TestLocalComesAfterWaiters: a name that a connection waits for is not the program's, not
// even in the moment in which its holder has gone.
func TestLocalComesAfterWaiters(t *testing.T) { onEngines(t, testLocalComesAfterWaiters) }

func testLocalComesAfterWaiters(t *testing.T, engine epmd.Engine) {
	tried := make(chan error, 1)
	s := &epmd.Server{Engine: engine, TakenGrace: time.Hour}
	s.ConnState = func(_ epmd.Conn, state epmd.ConnState) {
		if state == epmd.StateClosed && len(tried) == 0 {
			_, _, err := s.RegisterLocal(node("foo", 1))
			tried <- err
		}
	}
	r := run(t, s)
	holder, _ := r.register(t, "foo")
	waits := r.await(t, node("foo", 2))
	require.NoError(t, holder.Close())
	require.ErrorIs(t, <-tried, registry.RefusedTaken)
	require.Zero(t, waits.answer(t).Result)
}

// TestLocalAtTheEnd: registrations of the program race with the end of the server, and none
// outlives it.
func TestLocalAtTheEnd(t *testing.T) { onEngines(t, testLocalAtTheEnd) }

func testLocalAtTheEnd(t *testing.T, engine epmd.Engine) {
	for range 50 {
		s := run(t, &epmd.Server{Engine: engine})
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for {
					_, release, err := s.RegisterLocal(node(string(rune('a'+i)), 1))
					if err != nil {
						if !errors.Is(err, epmd.ErrServerClosed) {
							t.Error(err)
						}
						return
					}
					if i%2 == 0 {
						release()
					} else if !s.Unregister(string(rune('a' + i))) {
						release() // the server has ended it
					}
				}
			})
		}
		_, err := s.client().Names(ctx(t))
		require.NoError(t, err)
		require.NoError(t, s.Close())
		all.Wait()
		require.Zero(t, s.View().Len())
	}
}
