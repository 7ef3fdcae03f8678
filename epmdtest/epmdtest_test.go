package epmdtest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/goepmd/goepmd/epmd"
	"github.com/goepmd/goepmd/epmdtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServer(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.WaitNames()
	a := s.Node("a", 9001)
	s.Node("b", 9002)
	s.WaitNames("b", "a")
	names, err := s.Client().Names(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, s.Port(), names.Port)
	require.Equal(t, []epmd.NamePort{{Name: "b", Port: 9002}, {Name: "a", Port: 9001}}, names.Nodes)
	require.NoError(t, a.Close())
	s.WaitNames("b")
}

// TestOptions: an option changes the server before it starts.
func TestOptions(t *testing.T) {
	s := epmdtest.NewServer(t, func(s *epmd.Server) { s.RelaxedCommandCheck = true })
	s.Node("a", 1)
	require.NoError(t, s.Client().Stop(context.Background(), "a"))
	s.WaitNames()
	require.NoError(t, s.Client().Kill(context.Background()), "a test may kill its server")
}

// TestEndsWithItsTest: nothing is left of a server when its test has ended.
func TestEndsWithItsTest(t *testing.T) {
	var s *epmdtest.Server
	t.Run("inner", func(t *testing.T) {
		s = epmdtest.NewServer(t)
		s.Node("a", 1)
	})
	_, err := s.Client().Names(context.Background())
	require.Error(t, err)
	require.Zero(t, s.View().Len())
}

// TestFails: what a server holds against a test fails it.
func TestFails(t *testing.T) {
	s := epmdtest.NewServer(t)
	s.Node("a", 1)
	tb := &failing{TB: t}
	broken := *s
	broken.Addr = "no port"
	func() {
		defer func() { _ = recover() }()
		epmdtest.WithTB(&broken, tb).Port()
	}()
	require.True(t, tb.failed)
	tb = &failing{TB: t}
	func() {
		defer func() { _ = recover() }()
		epmdtest.WithTB(s, tb).Node("a", 1) // taken
	}()
	require.True(t, tb.failed)
}

// failing notes a failure in place of failing.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Fatalf(string, ...any) {
	f.failed = true
	panic("failed")
}

func (f *failing) Helper() {}

func ExampleNewServer() {
	t := new(testing.T) // a test's own

	s := epmdtest.NewServer(t)
	s.Node("alpha", 9001) // as an Erlang node would

	// Code under test finds the node through s.Addr, here our own client.
	node, err := s.Client().Lookup(context.Background(), "alpha")
	if err != nil || node.Port != 9001 {
		t.Errorf("got %v, %v", node, err)
	}
	s.WaitNames("alpha")
}
