package registry_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// TestRestore: what is restored is the same in every list, and goes on the same.
func TestRestore(t *testing.T) {
	r, clock := newRegistry(2)
	for i := range 9 {
		clock.set(1000 + int64(i))
		n := otpNode(numbered(i), uint16(i))
		n.Extra = "extra"
		register(t, r, registry.Owner(i/2+1), n) // most owners hold two
	}
	r.Release(2, registry.ReasonClosed)
	r.Unregister([]byte(numbered(5)), registry.ReasonStopped)
	r.Release(1, registry.ReasonClosed)

	again := registry.New(registry.Config{Now: clock.now, Remember: 2})
	require.Equal(t, "\x00\x00\x11\x11", string(again.Names(port)), "its list is kept, and has to be made anew")
	require.NoError(t, again.Restore(r.Snapshot()))
	require.NoError(t, again.Verify())
	require.Equal(t, r.Snapshot(), again.Snapshot())
	require.EqualValues(t, again.Len(), again.Stats().Registrations)
	require.Equal(t, r.Names(port), again.Names(port))
	require.Equal(t, r.Dump(port), again.Dump(port))

	for _, step := range []func(*registry.Registry) any{
		func(r *registry.Registry) any {
			c, err := r.Register(77, otpNode(numbered(0), 1))
			return []any{c, err}
		}, // remembered
		func(r *registry.Registry) any { c, err := r.Register(78, otpNode("new", 1)); return []any{c, err} }, // takes over a record
		func(r *registry.Registry) any {
			c, err := r.Register(79, otpNode(numbered(4), 1))
			return []any{c, err}
		}, // taken
		func(r *registry.Registry) any { return r.Unregister([]byte(numbered(6)), registry.ReasonStopped) },
		func(r *registry.Registry) any { r.Release(4, registry.ReasonClosed); return nil },
		func(r *registry.Registry) any { r.Release(5, registry.ReasonClosed); return nil },
	} {
		require.Equal(t, step(r), step(again))
		require.NoError(t, again.Verify())
		require.Equal(t, r.Snapshot(), again.Snapshot())
	}
}

// TestRestoreNonsense: a snapshot of nothing that could be is refused.
func TestRestoreNonsense(t *testing.T) {
	entry := func(name string) registry.Entry { return registry.Entry{Node: wire.Node{Name: name}} }
	long := entry(strings.Repeat("x", wire.MaxNameBytes+1))
	several := entry("s")
	several.Transports = []registry.HeldTransport{{Transport: wire.Transport{Name: "tcp"}, Owner: 1}}
	for what, s := range map[string]registry.Snapshot{
		"registered twice":          {Nodes: []registry.Entry{entry("a"), entry("a")}},
		"registered and remembered": {Nodes: []registry.Entry{entry("a")}, Old: []registry.Entry{entry("a")}},
		"remembered twice":          {Old: []registry.Entry{entry("a"), entry("a")}},
		"too long":                  {Nodes: []registry.Entry{long}},
		"too long, remembered":      {Old: []registry.Entry{long}},
		"transports before it":      {Nodes: []registry.Entry{several}, Old: []registry.Entry{long}},
	} {
		r := registry.New(registry.Config{})
		require.ErrorIs(t, r.Restore(s), registry.ErrSnapshot, what)
		require.NoError(t, r.Verify())
		require.Empty(t, r.Dump(port)[4:], what)
		require.NoError(t, r.Restore(registry.Snapshot{Old: []registry.Entry{entry("a")}}))
		require.ErrorIs(t, r.Restore(registry.Snapshot{}), registry.ErrUsed)
	}
	require.EqualError(t, registry.ErrUsed, "registry: it has names already")
	twice := registry.Snapshot{Old: []registry.Entry{entry("a"), entry("a")}}
	require.EqualError(t, registry.New(registry.Config{}).Restore(twice), `registry: not a snapshot of a registry: "a" comes twice`)
	long.Node.Name = "\xff"
	require.EqualError(t, registry.New(registry.Config{}).Restore(registry.Snapshot{Nodes: []registry.Entry{long}}),
		`registry: not a snapshot of a registry: "\xff": the name is not valid UTF-8`)
	several.Transports = append(several.Transports, several.Transports[0])
	require.EqualError(t, registry.New(registry.Config{}).Restore(registry.Snapshot{Nodes: []registry.Entry{several}}),
		`registry: not a snapshot of a registry: "s" cannot have the transport "tcp"`)
}

// TestOnEvent: the observer is told of every event in its order, with the registry
// as it is right after.
func TestOnEvent(t *testing.T) {
	var r *registry.Registry
	var seen []registry.Event
	nodes, old := 0, 0
	r = registry.New(registry.Config{OnEvent: func(e registry.Event, in registry.Inside) {
		seen = append(seen, e)
		switch e.Kind {
		case registry.Registered:
			nodes++
		case registry.Unregistered:
			nodes--
			old++
		}
		s := in.Snapshot()
		require.Equal(t, e.Seq, s.Seq)
		require.Len(t, s.Nodes, nodes)
		require.Len(t, s.Old, old)
		entry, registered := in.Entry(e.Node.Name)
		require.Equal(t, e.Node.Name, entry.Node.Name)
		require.Equal(t, e.Kind != registry.Unregistered, registered)
		entry, registered = in.Entry("nobody")
		require.Zero(t, entry)
		require.False(t, registered)
	}})
	register(t, r, 1, otpNode("a", 1))
	register(t, r, 1, otpNode("b", 1))
	_, err := r.Register(2, otpNode("b", 1))
	require.Error(t, err)
	register(t, r, 2, otpNode("c", 1))
	require.NotNil(t, r.Unregister([]byte("c"), registry.ReasonStopped))
	r.Release(1, registry.ReasonClosed)
	var kinds []registry.EventKind
	for i, e := range seen {
		require.EqualValues(t, i+1, e.Seq)
		kinds = append(kinds, e.Kind)
	}
	require.Equal(t, []registry.EventKind{
		registry.Registered, registry.Registered, registry.Refused, registry.Registered,
		registry.Unregistered, registry.Unregistered, registry.Unregistered,
	}, kinds)
}

// TestFloor: a name that was never seen begins above the floor.
func TestFloor(t *testing.T) {
	r, clock := newRegistry(0)
	require.NoError(t, r.Restore(registry.Snapshot{Floor: 5000}))
	require.EqualValues(t, 5001, register(t, r, 1, otpNode("a", 1)))
	clock.set(6000)
	require.EqualValues(t, 6001, register(t, r, 1, otpNode("b", 1)))
	require.EqualValues(t, 5000, r.Snapshot().Floor)
}

// TestLastOwner: the highest owner that registered anything is known when the name is
// long forgotten, and in the registry that goes on; those that are no connections do not
// count.
func TestLastOwner(t *testing.T) {
	r, _ := newRegistry(-1)
	_, err := r.Register(7, otpNode("\xff", 1))
	require.Error(t, err)
	require.Zero(t, r.Snapshot().LastOwner, "it was refused")
	register(t, r, 5, otpNode("a", 1))
	register(t, r, registry.LocalOwners, otpNode("local", 1))
	join(t, r, registry.LocalOwners+1, otpTransport("local 2", "t", 1))
	join(t, r, 9, otpTransport("b", "t", 1))
	register(t, r, 8, otpNode("c", 1))
	r.Release(9, registry.ReasonClosed)
	register(t, r, 6, otpNode("d", 1)) // it takes over b's record
	s := r.Snapshot()
	require.EqualValues(t, 9, s.LastOwner)
	next := registry.New(registry.Config{})
	require.NoError(t, next.Restore(s))
	require.EqualValues(t, 9, next.Snapshot().LastOwner)

	s.LastOwner = 0 // as what was written before it was told
	s.Old = []registry.Entry{{Node: wire.Node{Name: "old"}, Owner: 70}}
	next = registry.New(registry.Config{})
	require.NoError(t, next.Restore(s))
	require.EqualValues(t, 70, next.Snapshot().LastOwner)
}

// TestRestoreTransports: names with several transports, of several owners, are restored
// too, and end as they would have.
func TestRestoreTransports(t *testing.T) {
	r, clock := newRegistry(0)
	add := func(r *registry.Registry, o registry.Owner, name, transport string, p uint16) {
		clock.set(clock.t.Unix() + 1)
		n := otpNode(name, p)
		n.Transport = transport
		_, err := r.RegisterTransport(o, n)
		require.NoError(t, err)
	}
	register(t, r, 9, otpNode("plain", 9))
	add(r, 1, "a", "inet_tcp", 1)
	add(r, 2, "b", "inet_tls", 2)
	add(r, 2, "a", "inet_tls", 3)
	add(r, 1, "b", "uds", 4)
	register(t, r, 8, otpNode("b", 8))
	add(r, 3, "old", "inet_tcp", 5)
	add(r, 3, "old", "", 6)
	r.Release(3, registry.ReasonClosed)
	require.Equal(t, []registry.Owner{2, 1, 8}, r.Snapshot().Nodes[0].Owners())
	require.Equal(t, []registry.Owner{9}, r.Snapshot().Nodes[2].Owners())
	for name, end := range map[string]func(*registry.Registry){
		"release 1": func(r *registry.Registry) { r.Release(1, registry.ReasonClosed) },
		"release 2": func(r *registry.Registry) { r.Release(2, registry.ReasonClosed) },
		"stop a":    func(r *registry.Registry) { r.Unregister([]byte("a"), registry.ReasonStopped) },
		"add":       func(r *registry.Registry) { add(r, 7, "b", "inet6_tcp", 7) },
	} {
		before := r.Snapshot()
		one, two := registry.New(registry.Config{Now: clock.now}), registry.New(registry.Config{Now: clock.now})
		require.NoError(t, one.Restore(before))
		require.NoError(t, one.Verify())
		require.NoError(t, two.Restore(one.Snapshot()))
		require.Equal(t, before, two.Snapshot())
		require.Equal(t, r.Dump3(port), two.Dump3(port))
		end(one)
		clock.set(clock.t.Unix() - 1)
		end(two)
		require.NoError(t, one.Verify())
		after, same := one.Snapshot(), two.Snapshot()
		if name != "add" {
			require.Equal(t, after, same, name)
		}
		require.NotEqual(t, before, after, name)
	}
	bad := r.Snapshot()
	bad.Nodes[0].Transports = append(bad.Nodes[0].Transports, bad.Nodes[0].Transports[0])
	require.ErrorIs(t, registry.New(registry.Config{}).Restore(bad), registry.ErrSnapshot)
}

// TestRestoreOrder: an owner's transports end in the order in which they would have.
func TestRestoreOrder(t *testing.T) {
	r, clock := newRegistry(0)
	for i, n := range []wire.Node{otpTransport("a", "tcp", 1), otpTransport("b", "tcp", 2), otpTransport("a", "tls", 3)} {
		clock.set(int64(1000 + i))
		join(t, r, 1, n)
	}
	again := registry.New(registry.Config{Now: clock.now})
	require.NoError(t, again.Restore(r.Snapshot()))
	ends := func(r *registry.Registry) []registry.Event {
		sub, _ := r.Subscribe(10)
		defer sub.Close()
		r.Release(1, registry.ReasonClosed)
		return waiting(sub)
	}
	want := ends(r)
	require.Len(t, want, 3)
	require.Equal(t, want, ends(again))
}

// TestRestoreWhatNoneWrote: of an entry that no registry would have told, the transports
// count for the name, and no remembered name has an extra field.
func TestRestoreWhatNoneWrote(t *testing.T) {
	node, old := otpNode("s", 9), otpNode("old", 1)
	old.Extra = "extra"
	tcp := registry.HeldTransport{Transport: wire.Transport{Name: "tcp", Port: 1}, Owner: 1}
	tls := registry.HeldTransport{Transport: wire.Transport{Name: "tls", Port: 2}, Owner: 1}
	for _, transports := range [][]registry.HeldTransport{{tcp}, {tcp, tls}} {
		entry := registry.Entry{Node: node, Owner: 9, Transports: transports}
		require.Equal(t, []registry.Owner{1}, entry.Owners())
		r, _ := newRegistry(0)
		require.NoError(t, r.Restore(registry.Snapshot{Nodes: []registry.Entry{entry}, Old: []registry.Entry{{Node: old}}}))
		require.NoError(t, r.Verify())
		holder, _ := r.Holder([]byte("s"))
		require.EqualValues(t, 1, holder)
		n, _ := r.Lookup([]byte("s"))
		require.Equal(t, otpTransport("s", "tcp", 1), n)
		require.Len(t, r.Snapshot().Nodes[0].Transports, len(transports))
		require.Empty(t, r.Snapshot().Old[0].Node.Extra)
	}
}
