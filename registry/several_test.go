package registry_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

// otpTransport is a transport as a node would register it.
func otpTransport(name, transport string, port uint16) wire.Node {
	n := otpNode(name, port)
	n.Transport = transport
	return n
}

// join wants the transport to be registered, and gives the creation.
func join(t testing.TB, r *registry.Registry, o registry.Owner, n wire.Node) uint32 {
	t.Helper()
	creation, err := r.RegisterTransport(o, n)
	require.NoError(t, err)
	return creation
}

// found is the transports that a lookup gives, as lists tell them.
func found(t testing.TB, r *registry.Registry, name string, of ...string) string {
	t.Helper()
	list, err := wire.AppendTransports(nil, of...)
	require.NoError(t, err)
	_, ts, ok := r.LookupTransports([]byte(name), list, nil)
	if !ok {
		return "none"
	}
	text := ""
	for _, tr := range ts {
		text += fmt.Sprintf("%d#%s ", tr.Port, tr.Name)
	}
	return strings.TrimSpace(text)
}

func TestTransportsOfTwoOwners(t *testing.T) {
	r, clock := newRegistry(0)
	creation := join(t, r, 1, otpTransport("s", "tcp", 1))
	clock.set(2000)
	require.Equal(t, creation, join(t, r, 2, otpTransport("s", "tls", 2)), "the name stands")
	require.Equal(t, creation, join(t, r, 1, otpTransport("s", "uds", 3)))
	require.Equal(t, "1#tcp 2#tls 3#uds", found(t, r, "s", "uds", "tls", "tcp"), "in the order of registration")
	require.Equal(t, "3#uds", found(t, r, "s", "quic", "uds"))
	require.Equal(t, "none", found(t, r, "s", "quic"))
	require.Empty(t, found(t, r, "s"))
	require.Equal(t, 1, r.Len())
	n, ok := r.Lookup([]byte("s"))
	require.True(t, ok)
	require.Equal(t, otpTransport("s", "tcp", 1), n)

	entry := r.Snapshot().Nodes[0]
	require.Equal(t, otpTransport("s", "tcp", 1), entry.Node)
	require.Equal(t, []registry.HeldTransport{
		{Transport: wire.Transport{Name: "tcp", Port: 1}, Owner: 1, Since: time.Unix(1000, 0)},
		{Transport: wire.Transport{Name: "tls", Port: 2}, Owner: 2, Since: time.Unix(2000, 0)},
		{Transport: wire.Transport{Name: "uds", Port: 3}, Owner: 1, Since: time.Unix(2000, 0)},
	}, entry.Transports)

	r.Release(1, registry.ReasonClosed)
	require.Equal(t, "2#tls", found(t, r, "s", "uds", "tls", "tcp"))
	holder, _ := r.Holder([]byte("s"))
	require.EqualValues(t, 2, holder)
	require.Equal(t, header+"name s at port 2\n", string(r.Names(port)))
	require.NoError(t, r.Verify())
	r.Release(2, registry.ReasonClosed)
	require.Equal(t, "none", found(t, r, "s", "tls"))
	require.Equal(t, header+"old/unused name <s>, port = 2, fd = 2 \n\x00", string(r.Dump(port)))
	require.Equal(t, creation+1, join(t, r, 3, otpTransport("s", "tcp", 1)))
	require.NoError(t, r.Verify())
}

func TestTransportRefusals(t *testing.T) {
	r, _ := newRegistry(0)
	refused := func(want registry.Refusal, o registry.Owner, n wire.Node) {
		t.Helper()
		before := r.Snapshot()
		_, err := r.RegisterTransport(o, n)
		require.Equal(t, error(want), err)
		after := r.Snapshot()
		after.Seq = before.Seq
		require.Equal(t, before, after)
		require.NoError(t, r.Verify())
	}
	register(t, r, 1, otpNode("old", 1))
	refused(registry.RefusedTaken, 2, otpTransport("old", "tcp", 1))
	refused(registry.RefusedTaken, 2, otpTransport("old", "", 1))
	refused(registry.RefusedNameUTF8, 2, otpTransport("\xff", "tcp", 1))
	refused(registry.RefusedTransportName, 2, otpTransport("s", strings.Repeat("t", 128), 1))
	refused(registry.RefusedTransportName, 2, otpTransport("s", "a\x00", 1))
	for i := range wire.MaxTransports {
		join(t, r, registry.Owner(i), otpTransport("s", numbered(i), 1))
	}
	refused(registry.RefusedTaken, 2, otpTransport("s", numbered(3), 1))
	refused(registry.RefusedTransports, 2, otpTransport("s", "one more", 1))
	_, err := r.Register(9, otpNode("s", 1))
	require.Equal(t, registry.RefusedTransports, err)
	r.Release(3, registry.ReasonClosed)
	creation, err := r.Register(9, otpNode("s", 1))
	require.NoError(t, err)
	require.Equal(t, creation, r.Snapshot().Nodes[0].Counter)
	r.Release(4, registry.ReasonClosed)
	_, err = r.Register(9, otpNode("s", 1))
	require.Equal(t, registry.RefusedTaken, err, "it has one without a name")
}

func TestMaxHeld(t *testing.T) {
	for max, want := range map[int]int{0: 256, 5: 5, -1: 1000} {
		r := registry.New(registry.Config{MaxHeld: max})
		for i := range want {
			join(t, r, 1, otpTransport(numbered(i), "t", 1))
		}
		_, err := r.RegisterTransport(1, otpTransport("more", "t", 1))
		if max < 0 {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, registry.RefusedHeld, err)
		join(t, r, 2, otpTransport("more", "t", 1))
		_, err = r.Register(1, otpNode("plain", 1))
		require.NoError(t, err, "it counts transports")
	}
}

// TestOneHolder: only the owner that holds a name adds transports to it, until it has gone.
func TestOneHolder(t *testing.T) {
	r := registry.New(registry.Config{OneHolder: true})
	creation := join(t, r, 1, otpTransport("s", "t1", 1))
	join(t, r, 1, otpTransport("s", "t2", 1))
	before := r.Snapshot().Nodes
	_, err := r.RegisterTransport(2, otpTransport("s", "t3", 1))
	require.Equal(t, registry.RefusedTaken, err)
	_, err = r.Register(2, otpNode("s", 1))
	require.Equal(t, registry.RefusedTaken, err)
	require.Equal(t, before, r.Snapshot().Nodes)
	_, err = r.Register(1, otpNode("s", 1))
	require.NoError(t, err)
	join(t, r, 2, otpTransport("other", "t1", 1))
	r.Release(1, registry.ReasonClosed)
	require.Equal(t, creation+1, join(t, r, 2, otpTransport("s", "t3", 1)))

	// Several that held it before keep what they have, and may add to it.
	shared := registry.New(registry.Config{})
	join(t, shared, 1, otpTransport("s", "t1", 1))
	join(t, shared, 2, otpTransport("s", "t2", 1))
	r = registry.New(registry.Config{OneHolder: true})
	require.NoError(t, r.Restore(shared.Snapshot()))
	join(t, r, 1, otpTransport("s", "t3", 1))
	join(t, r, 2, otpTransport("s", "t4", 1))
	_, err = r.RegisterTransport(3, otpTransport("s", "t5", 1))
	require.Equal(t, registry.RefusedTaken, err)
}

// TestTransportEvents: one for each transport, with how many are left of the name.
func TestTransportEvents(t *testing.T) {
	r, clock := newRegistry(0)
	sub, _ := r.Subscribe(20)
	defer sub.Close()
	a, b := otpTransport("s", "tcp", 1), otpTransport("s", "tls", 2)
	b.Extra, b.Type, b.Protocol = "of b", 1, 9
	join(t, r, 1, a)
	join(t, r, 2, b)
	_, err := r.RegisterTransport(3, a)
	require.Error(t, err)
	r.Release(1, registry.ReasonClosed)
	join(t, r, 3, a)
	require.Equal(t, []registry.Owner{2, 3}, r.Unregister([]byte("s"), registry.ReasonStopped))

	b.Protocol = 0
	ended := a // as the last registration had it
	ended.Extra, ended.Type = b.Extra, b.Type
	back := b
	back.Extra, back.Type = "", a.Type
	want := []registry.Event{
		{Kind: registry.Registered, Owner: 1, Node: a, Transports: 1, Creation: 1001},
		{Kind: registry.Registered, Owner: 2, Node: b, Transports: 2, Creation: 1001},
		{Kind: registry.Refused, Owner: 3, Node: a, Transports: 2, Refusal: registry.RefusedTaken},
		{Kind: registry.Unregistered, Owner: 1, Node: ended, Transports: 1, Creation: 1001, Reason: registry.ReasonClosed},
		{Kind: registry.Registered, Owner: 3, Node: a, Transports: 2, Creation: 1001},
		{Kind: registry.Unregistered, Owner: 2, Node: back, Transports: 1, Creation: 1001, Reason: registry.ReasonStopped},
		{Kind: registry.Unregistered, Owner: 3, Node: a, Transports: 0, Creation: 1001, Reason: registry.ReasonStopped},
	}
	for i := range want {
		want[i].Seq, want[i].Time = uint64(i+1), clock.t
	}
	require.Equal(t, want, waiting(sub))
}

// TestUnregisterTransports: with a name ends all that its owners hold as transports.
func TestUnregisterTransports(t *testing.T) {
	r, _ := newRegistry(0)
	join(t, r, 1, otpTransport("s", "tcp", 1))
	join(t, r, 2, otpTransport("s", "tls", 2))
	join(t, r, 2, otpTransport("t", "tcp", 3))
	join(t, r, 3, otpTransport("t", "tls", 4))
	join(t, r, 2, otpTransport("u", "tcp", 5))
	join(t, r, 2, otpTransport("s", "uds", 6))
	require.Equal(t, []registry.Owner{1, 2}, r.Unregister([]byte("s"), registry.ReasonStopped))
	require.Equal(t, []string{"t"}, nodeNames(r))
	require.Equal(t, []string{"s", "u"}, oldNames(r))
	require.Equal(t, "4#tls", found(t, r, "t", "tcp", "tls"))
	require.NoError(t, r.Verify())
}

// TestUnregisterInBetween: an owner that held a name between others holds none of them
// any more, wherever the name stood.
func TestUnregisterInBetween(t *testing.T) {
	for i := range 4 {
		r, _ := newRegistry(0)
		for n := range 4 {
			join(t, r, 1, otpTransport(numbered(n), "tcp", 1))
		}
		require.Equal(t, []registry.Owner{1}, r.Unregister([]byte(numbered(i)), registry.ReasonStopped))
		require.NoError(t, r.Verify())
		require.Empty(t, nodeNames(r))
		require.Len(t, oldNames(r), 4)
	}
}

// TestPlainAfterTransports: a name that had transports and comes back by Register has
// none of them.
func TestPlainAfterTransports(t *testing.T) {
	r, _ := newRegistry(0)
	join(t, r, 1, otpTransport("s", "tcp", 1))
	r.Release(1, registry.ReasonClosed)
	register(t, r, 2, otpNode("s", 5))
	require.Equal(t, "5#", found(t, r, "s", "tcp"))
	require.Empty(t, r.Snapshot().Nodes[0].Transports)
	_, err := r.RegisterTransport(3, otpTransport("s", "tls", 1))
	require.Equal(t, registry.RefusedTaken, err)
	require.NoError(t, r.Verify())
}

// TestRegisterTellsNoTransport: Register takes no heed of a transport.
func TestRegisterTellsNoTransport(t *testing.T) {
	r, _ := newRegistry(0)
	sub, _ := r.Subscribe(20)
	defer sub.Close()
	register(t, r, 1, otpTransport("plain", "tcp", 1))
	join(t, r, 1, otpTransport("s", "tcp", 2))
	register(t, r, 2, otpTransport("s", "tls", 3))
	require.Equal(t, "none", found(t, r, "s", "tls"))
	require.Equal(t, "3#", found(t, r, "s", ""))
	transports := []string{}
	for _, e := range waiting(sub) {
		transports = append(transports, e.Node.Transport)
	}
	require.Equal(t, []string{"", "tcp", ""}, transports)
}

// TestRefusalOfTheNodeFirst: what is wrong with a node is told before what is registered.
func TestRefusalOfTheNodeFirst(t *testing.T) {
	r := registry.New(registry.Config{MaxHeld: 1})
	longest := strings.Repeat("t", wire.MaxTransportLen)
	join(t, r, 1, otpTransport("s", longest, 1))
	_, err := r.RegisterTransport(1, otpTransport("t", longest+"t", 1))
	require.Equal(t, registry.RefusedTransportName, err)
	_, err = r.RegisterTransport(1, otpTransport("\xff", "tcp", 1))
	require.Equal(t, registry.RefusedNameUTF8, err)
	_, err = r.RegisterTransport(1, otpTransport("t", "tcp", 1))
	require.Equal(t, registry.RefusedHeld, err)
}

// TestLookupTransports: the node is told whatever transports were asked for, and those
// that it has come behind what is there.
func TestLookupTransports(t *testing.T) {
	r, _ := newRegistry(0)
	register(t, r, 1, otpNode("plain", 7))
	join(t, r, 2, otpTransport("s", "tcp", 1))
	list, err := wire.AppendTransports(nil, "tls", "tcp")
	require.NoError(t, err)
	there := wire.Transport{Name: "there", Port: 9}
	for _, tt := range []struct {
		name string
		of   wire.TransportList
		node wire.Node
		want []wire.Transport
	}{
		{"plain", list, otpNode("plain", 7), []wire.Transport{there, {Port: 7}}},
		{"plain", nil, otpNode("plain", 7), []wire.Transport{there}},
		{"s", list, otpNode("s", 1), []wire.Transport{there, {Name: "tcp", Port: 1}}},
		{"s", nil, otpNode("s", 1), []wire.Transport{there}},
	} {
		n, got, ok := r.LookupTransports([]byte(tt.name), tt.of, []wire.Transport{there})
		require.True(t, ok)
		require.Equal(t, tt.node, n)
		require.Equal(t, tt.want, got)
	}
	for name, of := range map[string]wire.TransportList{"s": list[:4], "nobody": list} {
		_, got, ok := r.LookupTransports([]byte(name), of, []wire.Transport{there})
		require.False(t, ok, name)
		require.Equal(t, []wire.Transport{there}, got)
	}
}

// TestKeptBlocks: lists in blocks are made once after a change, and begin with the
// daemon's port.
func TestKeptBlocks(t *testing.T) {
	r, _ := newRegistry(0)
	register(t, r, 1, otpNode("old", 1))
	join(t, r, 2, otpTransport("s", "tcp", 2))
	names, dump := r.Names3(port), r.Dump3(port)
	require.Equal(t, "\x00\x2e\x00"+header+"name s at port 2#tcp\nname old at port 1#\n", string(names))
	require.Contains(t, string(dump), "active name     <s> at port 2#tcp, fd = 2\n")
	require.Same(t, &names[0], &r.Names3(port)[0])
	require.Same(t, &dump[0], &r.Dump3(port)[0])
	require.NotSame(t, &names[0], &r.Names3(port + 1)[0])
	require.Equal(t, names, r.Names3(port))
	join(t, r, 2, otpTransport("s", "tls", 3))
	require.Contains(t, string(r.Names3(port)), "2#tcp 3#tls")
	r.Release(2, registry.ReasonClosed)
	require.NotContains(t, string(r.Names3(port)), "tcp")
	require.Contains(t, string(r.Dump3(port)), "old/unused name <s> at port 2#tcp 3#tls, fd = 2\n")
}

// TestFD: dumps may show another number than the owner's own.
func TestFD(t *testing.T) {
	r := registry.New(registry.Config{FD: func(o registry.Owner) uint64 { return uint64(o) % 100 }})
	register(t, r, 107, otpNode("a", 1))
	join(t, r, 208, otpTransport("b", "t", 1))
	require.Contains(t, string(r.Dump(port)), "<a> at port 1, fd = 7\n")
	require.Contains(t, string(r.Dump3(port)), "<b> at port 1#t, fd = 8\n")
	r.Release(107, registry.ReasonClosed)
	require.Contains(t, string(r.Dump(port)), "<a>, port = 1, fd = 7 \n")
}

// TestRecordIsSmall: an ordinary node is no larger for what others have.
func TestRecordIsSmall(t *testing.T) {
	require.LessOrEqual(t, int(registry.RecordSize), 96)
}

func TestLookingUpTransportsAllocatesNothing(t *testing.T) {
	r, _ := newRegistry(0)
	for i := range wire.MaxTransports {
		join(t, r, registry.Owner(i), otpTransport("s", numbered(i), 1))
	}
	register(t, r, 99, otpNode("old", 1))
	list, err := wire.AppendTransports(nil, "x", numbered(31), numbered(0))
	require.NoError(t, err)
	taken := otpTransport("s", numbered(7), 1)
	room := make([]wire.Transport, 0, wire.MaxTransports)
	r.Names3(port)
	r.Dump3(port)
	for what, f := range map[string]func(){
		"several": func() { keptNode, _, keptFound = r.LookupTransports([]byte("s"), list, room) },
		"one":     func() { keptNode, _, keptFound = r.LookupTransports([]byte("old"), list, room) },
		"nothing": func() { keptNode, _, keptFound = r.LookupTransports([]byte("x"), list, room) },
		"Lookup":  func() { keptNode, keptFound = r.Lookup([]byte("s")) },
		"Names3":  func() { keptBytes = r.Names3(port) },
		"Dump3":   func() { keptBytes = r.Dump3(port) },
		"refused": func() { _, keptErr = r.RegisterTransport(1, taken) },
	} {
		assert.Zero(t, testing.AllocsPerRun(100, f), what)
	}
}
