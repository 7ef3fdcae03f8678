package registry_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
)

// TestPages: pages have the asked size, and all nodes in the order of the list.
func TestPages(t *testing.T) {
	r, _ := newRegistry(0)
	for range r.Pages(1) {
		require.Fail(t, "nobody is registered")
	}
	for i := range 7 {
		register(t, r, registry.Owner(i), otpNode(numbered(i), uint16(i)))
	}
	for size, want := range map[int][]int{-1: {1, 1, 1, 1, 1, 1, 1}, 0: {1, 1, 1, 1, 1, 1, 1}, 3: {3, 3, 1}, 7: {7}, 100: {7}} {
		var sizes []int
		var all []registry.Entry
		for page := range r.Pages(size) {
			sizes = append(sizes, len(page))
			all = append(all, page...)
		}
		require.Equal(t, want, sizes)
		require.Equal(t, r.Snapshot().Nodes, all)
	}
	for range r.Pages(2) {
		require.Equal(t, 1, r.Walks())
		break
	}
	require.Zero(t, r.Walks(), "nothing is left of who leaves early")
}

// change makes one random change, or none.
func change(r *registry.Registry, rnd *rand.Rand) {
	n := otpNode(numbered(rnd.IntN(40)), uint16(rnd.IntN(1<<16)))
	o := registry.Owner(rnd.IntN(30))
	switch rnd.IntN(6) {
	case 0:
		r.Release(o, registry.ReasonClosed)
	case 1:
		r.Unregister([]byte(n.Name), registry.ReasonStopped)
	case 2, 3:
		n.Transport = []string{"", "inet_tcp", "inet_tls"}[rnd.IntN(3)]
		_, _ = r.RegisterTransport(o, n) // it may be refused, likewise
	default:
		_, _ = r.Register(o, n)
	}
}

// drain reads what waits.
func drain(sub *registry.Subscription) (events []registry.Event) {
	for len(sub.C) > 0 {
		events = append(events, <-sub.C)
	}
	return events
}

// TestPagesOfWhatChanges: whatever happens between two pages, and it happens, for nobody
// holds the registry then, a node that stays is given once, in its order, and none twice.
func TestPagesOfWhatChanges(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		r, _ := newRegistry(5)
		for range 100 {
			change(r, rnd)
		}
		stays := nodeNames(r)
		sub, _ := r.Follow(1 << 12)
		var given []string
		size := 1 + rnd.IntN(8)
		for page := range r.Pages(size) {
			require.LessOrEqual(t, len(page), size)
			given = append(given, entryNames(page)...)
			for range rnd.IntN(10) {
				change(r, rnd)
				require.NoError(t, r.Verify())
			}
		}
		for _, e := range drain(sub) {
			if e.Kind == registry.Unregistered && e.Transports == 0 {
				stays = slices.DeleteFunc(stays, func(name string) bool { return name == e.Node.Name })
			}
		}
		sub.Close()
		require.Len(t, slices.Compact(slices.Sorted(slices.Values(given))), len(given), "seed %d: none twice", seed)
		given = slices.DeleteFunc(given, func(name string) bool { return !slices.Contains(stays, name) })
		require.Equal(t, stays, given, "seed %d", seed)
	}
}

// TestFollow: pages and the events after Follow together tell how everything stands.
func TestFollow(t *testing.T) {
	type transports map[string]string // the port and the owner of each
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		r, _ := newRegistry(5)
		churn := func(most int) {
			for range rnd.IntN(most) {
				change(r, rnd)
			}
		}
		put := func(to map[string]transports, name, transport string, port uint16, o registry.Owner) {
			if to[name] == nil {
				to[name] = transports{}
			}
			to[name][transport] = strconv.Itoa(int(port)) + " of " + strconv.FormatUint(uint64(o), 10)
		}
		collect := func(to map[string]transports, entries []registry.Entry) {
			for _, e := range entries {
				if len(e.Transports) == 0 {
					put(to, e.Node.Name, "", e.Node.Port, e.Owner)
				}
				for _, h := range e.Transports {
					put(to, e.Node.Name, h.Name, h.Port, h.Owner)
				}
			}
		}
		churn(100)
		sub, seq := r.Follow(1 << 12)
		require.Equal(t, r.Stats().Seq, seq)
		got := make(map[string]transports)
		churn(10)
		for page := range r.Pages(1 + rnd.IntN(8)) {
			collect(got, page)
			churn(10)
		}
		churn(10)
		for _, e := range drain(sub) {
			seq++
			require.Equal(t, seq, e.Seq, "nothing is missed")
			switch {
			case e.Kind == registry.Registered:
				put(got, e.Node.Name, e.Node.Transport, e.Node.Port, e.Owner)
			case e.Kind == registry.Unregistered && e.Transports == 0:
				delete(got, e.Node.Name)
			case e.Kind == registry.Unregistered:
				delete(got[e.Node.Name], e.Node.Transport)
			}
		}
		sub.Close()
		want := make(map[string]transports)
		collect(want, r.Snapshot().Nodes)
		require.Equal(t, want, got, "seed %d", seed)
	}
}

// TestPagesAtOnce: looks and changes at the same time do not disturb each other.
func TestPagesAtOnce(t *testing.T) {
	r, _ := newRegistry(5)
	var wg sync.WaitGroup
	for g := range uint64(4) {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(g, 3))
			for range 2000 {
				change(r, rnd)
			}
		})
		wg.Go(func() {
			for range 200 {
				for page := range r.Pages(3) {
					_ = entryNames(page)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, r.Verify())
	require.Zero(t, r.Walks())
}
