package registry_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// port is that of the daemon in the lists, header the bytes that tell it.
const (
	port   = wire.DefaultPort
	header = "\x00\x00\x11\x11"
)

// clock is a time that stands still until it is set.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }
func (c *clock) set(sec int64)  { c.t = time.Unix(sec, 0) }

// newRegistry makes a registry at the Unix time 1000, with its clock.
func newRegistry(remember int) (*registry.Registry, *clock) {
	c := new(clock)
	c.set(1000)
	return registry.New(registry.Config{Now: c.now, Remember: remember}), c
}

// otpNode is a node as OTP registers it.
func otpNode(name string, port uint16) wire.Node {
	return wire.Node{Name: name, Port: port, Type: wire.NodeTypeNormal, Highest: 6, Lowest: 5}
}

// register wants the node to be registered, and gives its creation.
func register(t testing.TB, r *registry.Registry, o registry.Owner, n wire.Node) uint32 {
	t.Helper()
	creation, err := r.Register(o, n)
	require.NoError(t, err)
	return creation
}

// requireRefused wants a refusal that changes nothing.
func requireRefused(t *testing.T, r *registry.Registry, o registry.Owner, n wire.Node, want registry.Refusal) {
	t.Helper()
	before, names, dump := r.Snapshot(), r.Names(port), r.Dump(port)
	creation, err := r.Register(o, n)
	require.Equal(t, error(want), err)
	require.Zero(t, creation)
	after := r.Snapshot()
	require.Equal(t, before.Seq+1, after.Seq)
	after.Seq = before.Seq
	require.Equal(t, before, after)
	require.Same(t, &names[0], &r.Names(port)[0])
	require.Same(t, &dump[0], &r.Dump(port)[0])
	require.NoError(t, r.Verify())
}

// nodeNames and oldNames are the names in the order of the lists.
func nodeNames(r *registry.Registry) []string { return entryNames(r.Snapshot().Nodes) }
func oldNames(r *registry.Registry) []string  { return entryNames(r.Snapshot().Old) }

func entryNames(entries []registry.Entry) []string {
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Node.Name)
	}
	return names
}

// numbered is one of many names.
func numbered(i int) string { return "node" + strconv.Itoa(i) }
