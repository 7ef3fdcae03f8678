package epmd_test

import (
	"context"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestRemotes: the server tells where its registered nodes come from, for as long as
// they are there.
func TestRemotes(t *testing.T) { onEngines(t, testRemotes) }

func testRemotes(t *testing.T, engine epmd.Engine) {
	s := run(t, &epmd.Server{Engine: engine})
	foo, _ := s.register(t, "foo")
	bar, _ := s.register(t, "bar")
	owner := func(name string) registry.Owner {
		o, held := s.Registry().Holder([]byte(name))
		require.True(t, held)
		return o
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
		o, held := s.Registry().Holder([]byte(name))
		require.True(t, held)
		want[o] = c.LocalAddr().String()
		for range 700 {
			owners = append(owners, o)
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
