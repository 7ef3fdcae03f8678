package registry_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// modelEntry is a name in the model.
type modelEntry struct {
	node    wire.Node
	owner   registry.Owner
	counter uint32
}

// model is the rules written down plainly, with slices and loops.
type model struct {
	live, old []modelEntry // the most recent first; the oldest first
	remember  int
}

func (m *model) find(in []modelEntry, name string) int {
	return slices.IndexFunc(in, func(e modelEntry) bool { return e.node.Name == name })
}

// register gives the creation, 0 if the name is taken.
func (m *model) register(o registry.Owner, n wire.Node, unix uint32) uint32 {
	if m.find(m.live, n.Name) >= 0 {
		return 0
	}
	counter := unix + 1
	if at := m.find(m.old, n.Name); at >= 0 {
		counter = m.old[at].counter + 1
		m.old = slices.Delete(m.old, at, at+1)
	} else if len(m.old) > m.remember {
		counter = m.old[0].counter
		m.old = m.old[1:]
	}
	m.live = slices.Insert(m.live, 0, modelEntry{n, o, counter})
	if n.Highest >= 6 {
		return counter
	}
	return counter%3 + 1
}

func (m *model) unregister(name string) (owners []registry.Owner) {
	if at := m.find(m.live, name); at >= 0 {
		owners = []registry.Owner{m.live[at].owner}
		m.old = append(m.old, m.live[at])
		m.live = slices.Delete(m.live, at, at+1)
	}
	return owners
}

func (m *model) ownedBy(o registry.Owner) (names []string) {
	for _, e := range m.live {
		if e.owner == o {
			names = append(names, e.node.Name)
		}
	}
	return names
}

func (m *model) names() string {
	b := []byte(header)
	for _, e := range m.live {
		b = wire.AppendNameLine(b, e.node.Name, e.node.Port)
	}
	return string(b)
}

func (m *model) dump() string {
	b := []byte(header)
	for _, e := range m.live {
		b = wire.AppendActiveLine(b, e.node.Name, e.node.Port, uint64(e.owner))
	}
	for _, e := range m.old {
		b = wire.AppendOldLine(b, e.node.Name, e.node.Port, uint64(e.owner))
	}
	return string(b)
}

// TestModel holds the registry to the model through a long life, the same in
// every run.
func TestModel(t *testing.T) {
	names := []string{"", "a", "b", "bb", "é", "d\n", "e", "f", "g", "h", "i"}
	rnd := rand.New(rand.NewPCG(4369, 1))
	r, clock := newRegistry(3)
	m := &model{remember: 3}
	for step := range 5000 {
		unix := int64(1000 + 10*step)
		clock.set(unix)
		name, o := names[rnd.IntN(len(names))], registry.Owner(rnd.IntN(5))
		switch rnd.IntN(7) {
		case 0, 1, 2, 3:
			n := otpNode(name, uint16(step))
			n.Highest, n.Extra = uint16(5+rnd.IntN(2)), "extra"
			creation, err := r.Register(o, n)
			want := m.register(o, n, uint32(unix))
			require.Equal(t, want, creation)
			require.Equal(t, want == 0, err != nil)
		case 4, 5:
			require.Equal(t, m.unregister(name), r.Unregister([]byte(name), registry.ReasonStopped))
		case 6:
			// No rule says in which order the names of one owner go.
			ends := m.ownedBy(o)
			r.Release(o, registry.ReasonClosed)
			old := oldNames(r)
			require.GreaterOrEqual(t, len(old), len(ends))
			gone := old[len(old)-len(ends):]
			require.ElementsMatch(t, ends, gone)
			for _, name := range gone {
				m.unregister(name)
			}
		}
		require.Equal(t, len(m.live), r.Len())
		require.Equal(t, m.names(), string(r.Names(port)))
		require.Equal(t, m.dump(), string(r.Dump(port)))
		for _, e := range m.live {
			requireNode(t, r, e.owner, e.node)
		}
		require.NoError(t, r.Verify())
	}
}
