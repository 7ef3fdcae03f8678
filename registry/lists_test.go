package registry_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/wire"
)

func requireLists(t *testing.T, r *registry.Registry, names, dump string) {
	t.Helper()
	require.Equal(t, header+names, string(r.Names(port)))
	require.Equal(t, header+dump, string(r.Dump(port)))
	require.NoError(t, r.Verify())
}

func TestLists(t *testing.T) {
	r, _ := newRegistry(0)
	requireLists(t, r, "", "")

	register(t, r, 11, otpNode("a", 1))
	requireLists(t, r,
		"name a at port 1\n",
		"active name     <a> at port 1, fd = 11\n\x00")

	register(t, r, 12, otpNode("b", 2))
	register(t, r, 13, otpNode("c", 3))
	requireLists(t, r,
		"name c at port 3\nname b at port 2\nname a at port 1\n",
		"active name     <c> at port 3, fd = 13\n\x00"+
			"active name     <b> at port 2, fd = 12\n\x00"+
			"active name     <a> at port 1, fd = 11\n\x00")

	r.Release(12, registry.ReasonClosed)
	requireLists(t, r,
		"name c at port 3\nname a at port 1\n",
		"active name     <c> at port 3, fd = 13\n\x00"+
			"active name     <a> at port 1, fd = 11\n\x00"+
			"old/unused name <b>, port = 2, fd = 12 \n\x00")

	r.Unregister([]byte("c"), registry.ReasonStopped)
	requireLists(t, r,
		"name a at port 1\n",
		"active name     <a> at port 1, fd = 11\n\x00"+
			"old/unused name <b>, port = 2, fd = 12 \n\x00"+
			"old/unused name <c>, port = 3, fd = 13 \n\x00")

	// A name that comes back is the most recent one, and remembered no more.
	register(t, r, 14, otpNode("b", 22))
	requireLists(t, r,
		"name b at port 22\nname a at port 1\n",
		"active name     <b> at port 22, fd = 14\n\x00"+
			"active name     <a> at port 1, fd = 11\n\x00"+
			"old/unused name <c>, port = 3, fd = 13 \n\x00")

	r.Release(11, registry.ReasonClosed)
	r.Release(14, registry.ReasonClosed)
	requireLists(t, r, "",
		"old/unused name <c>, port = 3, fd = 13 \n\x00"+
			"old/unused name <a>, port = 1, fd = 11 \n\x00"+
			"old/unused name <b>, port = 22, fd = 14 \n\x00")
}

func TestListsOfExtremes(t *testing.T) {
	r, _ := newRegistry(0)
	register(t, r, 1, otpNode("", 0))
	register(t, r, 1<<64-1, otpNode("a\nb at port 5", 65535))
	requireLists(t, r,
		"name a\nb at port 5 at port 65535\nname  at port 0\n",
		"active name     <a\nb at port 5> at port 65535, fd = 18446744073709551615\n\x00"+
			"active name     <> at port 0, fd = 1\n\x00")
	r.Release(1<<64-1, registry.ReasonClosed)
	r.Release(1, registry.ReasonClosed)
	requireLists(t, r, "",
		"old/unused name <a\nb at port 5>, port = 65535, fd = 18446744073709551615 \n\x00"+
			"old/unused name <>, port = 0, fd = 1 \n\x00")
}

func TestListsHaveThePortAskedFor(t *testing.T) {
	r, _ := newRegistry(0)
	register(t, r, 1, otpNode("a", 1))
	for _, c := range []struct {
		port   uint32
		header string
	}{
		{0, "\x00\x00\x00\x00"}, {0xffffffff, "\xff\xff\xff\xff"}, {port, header}, {0x01020304, "\x01\x02\x03\x04"},
	} {
		require.Equal(t, c.header+"name a at port 1\n", string(r.Names(c.port)))
		require.Equal(t, c.header+"active name     <a> at port 1, fd = 1\n\x00", string(r.Dump(c.port)))
	}
}

func TestListsAreKept(t *testing.T) {
	r, _ := newRegistry(0)
	register(t, r, 1, otpNode("a", 1))
	register(t, r, 2, otpNode("b", 2))
	r.Release(2, registry.ReasonClosed)

	for _, c := range []struct {
		name   string
		list   func(uint32) []byte
		change func()
		kept   bool
	}{
		{"Names, nothing", r.Names, func() {}, true},
		{"Dump, nothing", r.Dump, func() {}, true},
		{"Names, Dump", r.Names, func() { r.Dump(port) }, true},
		{"Dump, Names", r.Dump, func() { r.Names(port) }, true},
		{"Names, reading", r.Names, func() { read(r) }, true},
		{"Dump, reading", r.Dump, func() { read(r) }, true},
		{"Names, refused", r.Names, func() { _, _ = r.Register(3, otpNode("a", 3)) }, true},
		{"Dump, refused", r.Dump, func() { _, _ = r.Register(3, otpNode("\xff", 3)) }, true},
		{"Names, release of nobody", r.Names, func() { r.Release(3, registry.ReasonClosed) }, true},
		{"Dump, release of nobody", r.Dump, func() { r.Release(3, registry.ReasonClosed) }, true},
		{"Names, unregister of nothing", r.Names, func() { r.Unregister([]byte("x"), registry.ReasonStopped) }, true},
		{"Dump, unregister of a remembered name", r.Dump, func() { r.Unregister([]byte("b"), registry.ReasonStopped) }, true},
		{"Names, register", r.Names, func() { register(t, r, 3, otpNode("c", 3)) }, false},
		{"Names, release", r.Names, func() { r.Release(3, registry.ReasonClosed) }, false},
		{"Names, back again", r.Names, func() { register(t, r, 3, otpNode("c", 3)) }, false},
		{"Names, unregister", r.Names, func() { r.Unregister([]byte("c"), registry.ReasonStopped) }, false},
		{"Dump, register", r.Dump, func() { register(t, r, 3, otpNode("d", 3)) }, false},
		{"Dump, release", r.Dump, func() { r.Release(3, registry.ReasonClosed) }, false},
		{"Dump, back again", r.Dump, func() { register(t, r, 3, otpNode("d", 3)) }, false},
		{"Dump, unregister", r.Dump, func() { r.Unregister([]byte("d"), registry.ReasonStopped) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := c.list(port)
			was := string(before)
			c.change()
			after := c.list(port)
			require.Equal(t, c.kept, &before[0] == &after[0])
			require.Equal(t, was, string(before), "a list that was handed out stays as it is")
			if !c.kept {
				require.NotEqual(t, was, string(after))
			}
			require.Same(t, &after[0], &c.list(port)[0])
		})
	}
}

// read asks the registry everything that changes nothing.
func read(r *registry.Registry) {
	r.Lookup([]byte("a"))
	r.Holder([]byte("a"))
	r.Len()
	r.Snapshot()
	sub, _ := r.Subscribe(1)
	sub.Close()
}

// A list of many is made of the right size: no line is lost or doubled.
func TestListsOfMany(t *testing.T) {
	r, _ := newRegistry(0)
	names, dump := wire.AppendListPort(nil, port), wire.AppendListPort(nil, port)
	const n = 300
	for i := range n {
		register(t, r, registry.Owner(i), otpNode(numbered(i), uint16(i)))
	}
	for i := n - 1; i >= 0; i -= 2 {
		names = wire.AppendNameLine(names, numbered(i), uint16(i))
		dump = wire.AppendActiveLine(dump, numbered(i), uint16(i), uint64(i))
	}
	for i := 0; i < n; i += 2 {
		r.Release(registry.Owner(i), registry.ReasonClosed)
		dump = wire.AppendOldLine(dump, numbered(i), uint16(i), uint64(i))
	}
	require.Equal(t, string(names), string(r.Names(port)))
	require.Equal(t, string(dump), string(r.Dump(port)))
}
