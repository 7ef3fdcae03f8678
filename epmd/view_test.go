package epmd_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestView: a look at the names, before the server serves, while it does and after.
func TestView(t *testing.T) { onEngines(t, testView) }

func testView(t *testing.T, engine epmd.Engine) {
	server := &epmd.Server{Engine: engine}
	v := server.View()
	require.Zero(t, v.Len())
	sub, now := v.Subscribe(0)
	require.Empty(t, now.Nodes)
	s := run(t, server)
	_, answer := s.register(t, "foo")

	want := node("foo", 1000)
	got, found := v.Lookup("foo")
	require.True(t, found)
	require.Equal(t, want, got)
	entry, found := v.Entry("foo")
	require.True(t, found)
	require.Equal(t, want, entry.Node)
	require.Equal(t, answer.Creation, entry.Creation)
	require.Equal(t, []registry.Entry{entry}, v.Snapshot().Nodes)
	require.Equal(t, 1, v.Len())
	require.Equal(t, s.Stats().Registry, v.Stats())
	require.Equal(t, entry.Owner, (<-sub.C).Owner)

	require.NoError(t, s.Close())
	require.Equal(t, registry.ReasonShutdown, (<-sub.C).Reason, "a buffer holds one event at least")
	require.Zero(t, sub.Dropped())
	_, found = v.Lookup("foo")
	require.False(t, found)
	_, found = v.Entry("foo")
	require.False(t, found)
	require.Zero(t, v.Len())
	require.Equal(t, 1, v.Stats().Remembered)
	require.Len(t, v.Snapshot().Old, 1)
	sub.Close()
}

// TestRemotes: the server tells where its registered nodes come from, for as long as
// they are there.
func TestRemotes(t *testing.T) { onEngines(t, testRemotes) }

func testRemotes(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	foo, _ := s.register(t, "foo")
	bar, _ := s.register(t, "bar")
	owner := func(name string) registry.Owner {
		e, held := s.View().Entry(name)
		require.True(t, held)
		return e.Owner
	}
	a, b := owner("foo"), owner("bar")
	got, err := s.Remotes(ctx(t), a, 1<<40, b, 0)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, foo.LocalAddr().String(), got[a].String())
	require.Equal(t, bar.LocalAddr().String(), got[b].String())

	require.NoError(t, foo.Close())
	require.Eventually(t, func() bool { return s.Stats().Conns == 1 }, patience, tick)
	got, err = s.Remotes(ctx(t), a, b)
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Contains(t, got, b)

	got, err = s.Remotes(ctx(t))
	require.NoError(t, err)
	require.Empty(t, got)
}

// TestRemotesOfMany asks in more than one go.
func TestRemotesOfMany(t *testing.T) { onEngines(t, testRemotesOfMany) }

func testRemotesOfMany(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	want := make(map[registry.Owner]string)
	var owners []registry.Owner
	for i := range 4 {
		name := strconv.Itoa(i)
		c, _ := s.register(t, name)
		e, held := s.View().Entry(name)
		require.True(t, held)
		want[e.Owner] = c.LocalAddr().String()
		for range 700 {
			owners = append(owners, e.Owner)
		}
	}
	got, err := s.Remotes(ctx(t), owners...)
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for o, a := range got {
		require.Equal(t, want[o], a.String())
	}
}

// TestCheck: a server that serves says so, and one that does not, or not yet, or is
// stuck, does not.
func TestCheck(t *testing.T) { onEngines(t, testCheck) }

func testCheck(t *testing.T, engine epmd.Engine) {
	require.ErrorIs(t, (&epmd.Server{Engine: engine}).Check(ctx(t)), epmd.ErrServerClosed)
	s := run(t, &epmd.Server{Engine: engine})
	_, err := s.client().Names(ctx(t))
	require.NoError(t, err)
	require.NoError(t, s.Check(ctx(t)))
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Check(ctx(t)), epmd.ErrServerClosed)
	_, err = s.Remotes(ctx(t), 1)
	require.ErrorIs(t, err, epmd.ErrServerClosed)
}

// TestCheckEnding: a server that only answers what is under way serves no more.
func TestCheckEnding(t *testing.T) { onEngines(t, testCheckEnding) }

func testCheckEnding(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	begun := s.dial(t)
	_, err := begun.Write([]byte{0})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.Stats().Unfinished == 1 }, patience, tick)
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(ctx(t)) }()
	require.Eventually(t, func() bool {
		return errors.Is(s.Check(context.Background()), epmd.ErrServerClosed)
	}, patience, tick)
	_, err = begun.Write([]byte{1, byte(wire.TagNamesReq)})
	require.NoError(t, err)
	require.NotEmpty(t, requireClosed(t, begun))
	require.NoError(t, <-ended)
}

// TestCheckStuck: who asks an engine that does not answer gives up with the context.
func TestCheckStuck(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: on the portable engine a hook holds up its own connection alone; run it on Linux")
	}
	entered, leave := make(chan struct{}), make(chan struct{})
	s := run(t, &epmd.Server{Engine: epmd.EngineEpoll, OnRequest: func(epmd.Request) {
		close(entered)
		<-leave
	}})
	c := s.dial(t)
	_, err := c.Write([]byte{0, 1, byte(wire.TagNamesReq)})
	require.NoError(t, err)
	<-entered
	over, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, s.Check(over), context.Canceled)
	close(leave)
	require.NoError(t, s.Check(ctx(t)))
	require.NotEmpty(t, requireClosed(t, c))
}
