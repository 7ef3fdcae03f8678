package state_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/goepmd/goepmd/registry"
	"github.com/goepmd/goepmd/registry/state"
	"github.com/goepmd/goepmd/wire"
)

func node(name string) wire.Node {
	return wire.Node{Name: name, Port: 4711, Type: wire.NodeTypeNormal, Protocol: 1, Highest: 6, Lowest: 5, Extra: "\x00extra"}
}

// several is an entry with transports.
func several(at time.Time) registry.Entry {
	n := node("several")
	n.Transport = "inet_tcp"
	return registry.Entry{Node: n, Owner: 8, Counter: 9, Since: at, Transports: []registry.HeldTransport{
		{Transport: wire.Transport{Name: "inet_tcp", Port: 1}, Owner: 8, Since: at},
		{Transport: wire.Transport{Port: 2}, Owner: 9, Since: at, Alive2: true},
	}}
}

// full is a state with something in every field.
func full() state.State {
	at := time.Unix(1700000000, 123)
	return state.State{
		Saved: at,
		Final: true,
		Names: registry.Snapshot{
			Seq:   300,
			Floor: 1 << 30, Gone: 1<<31 + 1, LastOwner: 1<<40 | 4,
			Nodes: []registry.Entry{
				{Node: node("b"), Owner: 1<<40 | 3, Counter: 77, Since: at.Add(time.Second)},
				{Node: node(strings.Repeat("ü", wire.MaxNameChars)), Owner: 2, Counter: 1 << 31, Since: at},
			},
			Old: []registry.Entry{several(at), {Node: wire.Node{Name: "gone"}, Counter: 4, Since: at}},
		},
		Listeners: 2,
		Conns: []state.Conn{
			{Owner: 1<<40 | 3, Remote: netip.MustParseAddrPort("127.0.0.1:1234"), Phase: state.Registered},
			{Owner: 2, Remote: netip.MustParseAddrPort("[fe80::1%eth0]:1"), Phase: state.Registered, Out: []byte("y\x00")},
			{Owner: 3, Phase: state.Refused, More: true, In: []byte{0}},
			{Owner: 4, Phase: state.Reading, In: []byte{0}, Age: time.Minute},
			{Owner: 5, Phase: state.Closing, Out: bytes.Repeat([]byte("list"), 1000), Age: 1},
		},
	}
}

func TestRoundTrip(t *testing.T) {
	for _, s := range []state.State{full(), {Saved: time.Unix(0, 0)}} {
		b := state.Append([]byte("before"), s)
		got, err := state.Decode(b[len("before"):])
		require.NoError(t, err)
		if s.Names.Nodes == nil {
			s.Names.Nodes, s.Names.Old, s.Conns = []registry.Entry{}, []registry.Entry{}, []state.Conn{}
		}
		require.Equal(t, s, got)

		r := bytes.NewReader(append(b[len("before"):], "behind"...))
		got, err = state.Read(r, 1<<20)
		require.NoError(t, err)
		require.Equal(t, s, got)
		require.Equal(t, len("behind"), r.Len(), "not a byte more is read")
	}
}

// TestDamage: no state that is cut, or of which a bit is flipped, is taken for one.
func TestDamage(t *testing.T) {
	whole := state.Append(nil, full())
	for n := range len(whole) {
		_, err := state.Decode(whole[:n])
		require.ErrorIs(t, err, state.ErrDamaged, "cut to %d bytes", n)
		_, err = state.Read(bytes.NewReader(whole[:n]), 1<<20)
		require.Error(t, err, "cut to %d bytes", n)
	}
	for i := range len(whole) {
		for bit := range 8 {
			b := bytes.Clone(whole)
			b[i] ^= 1 << bit
			_, err := state.Decode(b)
			if i == 6 || i == 7 { // the version
				require.Error(t, err)
				continue
			}
			require.ErrorIs(t, err, state.ErrDamaged, "bit %d of byte %d", bit, i)
		}
	}
	_, err := state.Decode(append(whole, 0))
	require.ErrorIs(t, err, state.ErrDamaged)
}

// TestVersion: a version that is too new is told from damage.
func TestVersion(t *testing.T) {
	b := state.Append(nil, full())
	b[7] = state.Version + 1
	_, err := state.Decode(b)
	require.ErrorIs(t, err, state.ErrVersion)
	require.ErrorContains(t, err, fmt.Sprintf("version %d, and this program reads up to %d", state.Version+1, state.Version))
	_, err = state.Read(bytes.NewReader(b), 1<<20)
	require.ErrorIs(t, err, state.ErrVersion)
	b[7] = 0
	_, err = state.Decode(b)
	require.ErrorIs(t, err, state.ErrDamaged)
}

// TestVersion1: what version 1 wrote is read: transports without a note of how they were
// registered, and the highest owner by what there is.
func TestVersion1(t *testing.T) {
	b, err := os.ReadFile("testdata/v1.state")
	require.NoError(t, err)
	s, err := state.Decode(b)
	require.NoError(t, err)
	want := s.Names
	require.Equal(t, []string{"plain", "several"}, []string{want.Nodes[0].Node.Name, want.Nodes[1].Node.Name})
	require.Equal(t, []registry.HeldTransport{
		{Transport: wire.Transport{Name: "inet_tcp", Port: 7}, Owner: 1<<24 | 2, Since: time.Unix(1000, 0)},
		{Transport: wire.Transport{Port: 7}, Owner: 3, Since: time.Unix(1000, 0)},
	}, want.Nodes[1].Transports)
	require.Equal(t, "gone", want.Old[0].Node.Name)
	r := registry.New(registry.Config{})
	require.NoError(t, r.Restore(want))
	require.Equal(t, registry.Owner(1<<40|9), r.Snapshot().LastOwner)

	f := new(file)
	f.b, err = os.ReadFile("testdata/v1.journal")
	require.NoError(t, err)
	require.Equal(t, snapshot(r), read(t, f))
	next := registry.New(registry.Config{OnEvent: state.NewJournal(f, 0).OnEvent})
	require.NoError(t, next.Restore(r.Snapshot()))
	_, err = next.Register(5, node("new"))
	require.NoError(t, err)
	require.Equal(t, snapshot(next), read(t, f), "another goes on with it")
}

// TestDecodeGiven: what was given since raises what the state tells, and adds to it; of the
// last record any part may be missing.
func TestDecodeGiven(t *testing.T) {
	whole := state.Append(nil, full())
	got, err := state.DecodeGiven(whole)
	require.NoError(t, err)
	require.Equal(t, full(), got)

	given := func(name string, counter uint32) registry.Entry {
		return registry.Entry{Node: node(name), Owner: 1, Counter: counter, Since: time.Unix(5, 0)}
	}
	b := bytes.Clone(whole)
	for _, e := range []registry.Entry{given("b", 78), given("b", 77), given("new", 5), given("gone", 6), given("new", 9)} {
		b = state.AppendGiven(b, e)
	}
	want := full()
	want.Final = false
	want.Names.Nodes[0].Counter, want.Names.Old[1].Counter = 78, 6
	want.Names.Old = append(want.Names.Old, given("new", 9))
	got, err = state.DecodeGiven(b)
	require.NoError(t, err)
	require.Equal(t, want, got)

	last := len(state.AppendGiven(nil, given("new", 9)))
	want.Names.Old[2].Counter = 5
	for n := 1; n <= last; n++ {
		got, err = state.DecodeGiven(b[:len(b)-n])
		require.NoError(t, err)
		require.Equal(t, want, got, "%d bytes are missing", n)
	}
	for n := range whole {
		_, err = state.DecodeGiven(whole[:n])
		require.ErrorIs(t, err, state.ErrDamaged)
	}
	nonsense := []byte{0, 0, 0, 1, 0, 0, 0, 0, 2}
	binary.BigEndian.PutUint32(nonsense[4:], crc32.Checksum(nonsense[8:], crc32.MakeTable(crc32.Castagnoli)))
	_, err = state.DecodeGiven(append(bytes.Clone(whole), nonsense...))
	require.ErrorIs(t, err, state.ErrDamaged)
}

// seal gives a body the head of a state that is not damaged.
func seal(body []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte("GOEPMD"), state.Version)
	b = binary.BigEndian.AppendUint64(b, uint64(len(body)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	return append(b, body...)
}

// TestClaims: a body whose counts claim more than there is takes no memory for it.
func TestClaims(t *testing.T) {
	fixed := make([]byte, 8+1+1+4+4+1) // saved, final, seq, floor, gone, last owner
	huge := binary.AppendUvarint(nil, 1<<62)
	for what, body := range map[string][]byte{
		"nodes":     append(bytes.Clone(fixed), huge...),
		"old":       append(append(bytes.Clone(fixed), 0), huge...),
		"listeners": append(append(bytes.Clone(fixed), 0, 0), huge...),
		"conns":     append(append(bytes.Clone(fixed), 0, 0, 0), huge...),
		"number":    append(bytes.Clone(fixed), bytes.Repeat([]byte{0xff}, 11)...),
		"flag":      append(append(make([]byte, 8), 2), make([]byte, 40)...),
		"phase":     append(append(bytes.Clone(fixed), 0, 0, 0, 1), make([]byte, 14)...),
		"address":   append(append(bytes.Clone(fixed), 0, 0, 0, 1), 1, 1, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		"more":      append(bytes.Clone(fixed), 0, 0, 0, 0, 0),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := state.Decode(seal(body))
		runtime.ReadMemStats(&after)
		require.ErrorIs(t, err, state.ErrDamaged, what)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20), what)
	}
	head := seal(nil)
	binary.BigEndian.PutUint64(head[8:], 1<<62)
	_, err := state.Read(bytes.NewReader(head), 1<<20)
	require.ErrorIs(t, err, state.ErrDamaged)
}

func TestPhaseString(t *testing.T) {
	for p, want := range map[state.Phase]string{
		state.Reading: "reading", state.Registered: "registered", state.Refused: "refused",
		state.Closing: "closing", state.Stopping: "stopping", 9: "phase 9",
	} {
		require.Equal(t, want, p.String())
	}
}

// TestBegins: a file is told by its beginning, whatever follows; a newer version is an error.
func TestBegins(t *testing.T) {
	whole := state.Append(nil, state.State{})
	begins := func(b []byte) (bool, error) { return state.Begins(bytes.NewReader(b)) }
	for n := range len(whole) + 1 {
		ours, err := begins(whole[:n])
		require.NoError(t, err)
		require.Equal(t, n >= len("GOEPMD"), ours, "%d bytes", n)
	}
	for i := range len("GOEPMD") {
		other := bytes.Clone(whole)
		other[i]++
		ours, err := begins(other)
		require.NoError(t, err)
		require.False(t, ours)
	}
	newer := bytes.Clone(whole)
	newer[len("GOEPMD")+1]++
	_, err := begins(newer)
	require.ErrorIs(t, err, state.ErrVersion)
	_, err = state.Begins(brokenFile{})
	require.ErrorIs(t, err, errBroken)
}

type brokenFile struct{}

var errBroken = errors.New("broken")

func (brokenFile) ReadAt([]byte, int64) (int, error) { return 0, errBroken }
