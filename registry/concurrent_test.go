package registry_test

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// contend lets many goroutines fight for one name, and each register names of
// its own of which it keeps the last. It gives the number of times that the one
// name was won.
func contend(t *testing.T, r *registry.Registry) (won uint32) {
	t.Helper()
	const contenders, rounds = 8, 100
	var wg sync.WaitGroup
	var wins atomic.Uint32
	for g := range contenders {
		wg.Go(func() {
			mine, shared := registry.Owner(g), registry.Owner(contenders+g)
			for i := range rounds {
				r.Release(mine, registry.ReasonClosed)
				_, err := r.Register(mine, otpNode(numbered(g), uint16(i)))
				assert.NoError(t, err)

				switch _, err := r.Register(shared, otpNode("shared", uint16(g))); err {
				case nil:
					wins.Add(1)
					got, _ := r.Lookup([]byte("shared"))
					assert.Equal(t, otpNode("shared", uint16(g)), got)
					holder, _ := r.Holder([]byte("shared"))
					assert.Equal(t, shared, holder)
					if i%2 == 0 {
						r.Release(shared, registry.ReasonClosed)
					} else {
						assert.Equal(t, []registry.Owner{shared}, r.Unregister([]byte("shared"), registry.ReasonStopped))
					}
				default:
					assert.Equal(t, registry.RefusedTaken, err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, contenders, r.Len())
	for g := range contenders {
		requireNode(t, r, registry.Owner(g), otpNode(numbered(g), rounds-1))
	}
	return wins.Load()
}

func TestConcurrentUse(t *testing.T) {
	r, _ := newRegistry(0)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for _, p := range []uint32{port, port + 1} { // two daemons that share a registry
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					runtime.Gosched() // some platforms have one thread, and take it from nobody
				}
				got, lines, err := wire.ParseListPort(r.Names(p))
				assert.NoError(t, err)
				assert.Equal(t, p, got)
				for _, err := range wire.NameLines(lines) {
					assert.NoError(t, err)
				}
				_, lines, err = wire.ParseListPort(r.Dump(p))
				assert.NoError(t, err)
				for _, err := range wire.DumpLines(lines) {
					assert.NoError(t, err)
				}
				assert.LessOrEqual(t, r.Len(), 9)
				assert.NoError(t, r.Verify())
			}
		})
	}
	won := contend(t, r)
	close(done)
	readers.Wait()

	require.NoError(t, r.Verify())
	s := r.Snapshot()
	require.Len(t, s.Old, 1)
	require.Equal(t, "shared", s.Old[0].Node.Name)
	require.Equal(t, 1000+won, s.Old[0].Counter, "each time it was won it counted one more")
	names := wire.AppendListPort(nil, port)
	for _, e := range s.Nodes {
		names = wire.AppendNameLine(names, e.Node.Name, e.Node.Port)
	}
	require.Equal(t, string(names), string(r.Names(port)), "the list that is kept is the last one")
}

// The snapshot and the events from then on make up the whole, whenever one
// subscribes.
func TestConcurrentSubscribe(t *testing.T) {
	r, _ := newRegistry(0)
	type view struct {
		sub      *registry.Subscription
		snapshot registry.Snapshot
	}
	views := make([]view, 8)
	var subscribers sync.WaitGroup
	for i := range views {
		subscribers.Go(func() {
			sub, snapshot := r.Subscribe(1 << 12)
			views[i] = view{sub, snapshot}
		})
	}
	contend(t, r)
	subscribers.Wait()

	end := r.Snapshot()
	for _, v := range views {
		v.sub.Close()
		require.Zero(t, v.sub.Dropped())
		seq, nodes := v.snapshot.Seq, v.snapshot.Nodes
		for e := range v.sub.C {
			seq++
			require.Equal(t, seq, e.Seq)
			switch e.Kind {
			case registry.Registered:
				nodes = slices.Insert(nodes, 0, registry.Entry{Node: e.Node, Owner: e.Owner, Creation: e.Creation})
			case registry.Unregistered:
				at := slices.IndexFunc(nodes, func(n registry.Entry) bool { return n.Node == e.Node && n.Owner == e.Owner })
				require.GreaterOrEqual(t, at, 0)
				require.Equal(t, nodes[at].Creation, e.Creation)
				nodes = slices.Delete(nodes, at, at+1)
			}
		}
		require.Equal(t, end.Seq, seq)
		require.Len(t, nodes, len(end.Nodes))
		for i, n := range end.Nodes {
			require.Equal(t, n.Node, nodes[i].Node)
			require.Equal(t, n.Owner, nodes[i].Owner)
			require.Equal(t, n.Creation, nodes[i].Creation)
		}
	}
}

// Closing goes together with publishing; what is read is in order.
func TestConcurrentClose(t *testing.T) {
	r, _ := newRegistry(0)
	done := make(chan struct{})
	var subscribers sync.WaitGroup
	for range 4 {
		subscribers.Go(func() {
			for {
				sub, snapshot := r.Subscribe(4)
				var closers sync.WaitGroup
				closers.Go(sub.Close)
				closers.Go(sub.Close)
				last := snapshot.Seq
				for e := range sub.C {
					assert.Greater(t, e.Seq, last)
					last = e.Seq
				}
				closers.Wait()
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	contend(t, r)
	close(done)
	subscribers.Wait()
	require.NoError(t, r.Verify())
}
